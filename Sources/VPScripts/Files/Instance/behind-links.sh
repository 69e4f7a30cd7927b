#!/bin/sh
# Prints for each link that leads out of the workspace `root` how many kilobytes were written behind it since the
# instance came up. Used while a job runs. `measure` is the text of behind-links-size.sh.
: "${root?}" "${measure?}"

export LC_ALL=C
since=$HOME/.vp/since
cd "$root" 2>/dev/null && [ -e "$since" ] || {
    printf 'end\0'
    exit
}
# find accepts only one `{}`.
export measure
# shellcheck disable=SC2016
find . -mindepth 1 \( -type d \( -name .git -o -name .vp-sync -o -name .vp-projects \) \) -prune -o -type l \
    -exec sh -c 'eval "$measure"' sh "$(pwd -P)" "$(cd "$HOME" && pwd -P)" "$since" {} + 2>/dev/null
printf 'end\0'
