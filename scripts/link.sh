#!/bin/sh
# Puts what scripts/build.sh has built where shells and man look for it: scripts/link.sh [PREFIX]
#   PREFIX/bin    links to vp and vp-tui
#   PREFIX/share  man pages, and completions for bash, zsh and fish
# PREFIX is ~/.local unless it is given. PROGRAMS names another folder of programs than .build-release/release.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
prefix=${1:-$HOME/.local}
programs=${PROGRAMS:-$root/.build-release/release}

for name in vp vp-tui; do
    if [ ! -x "$programs/$name" ]; then
        echo "link.sh: there is no $programs/$name; scripts/build.sh builds it" >&2
        exit 1
    fi
done

share=$prefix/share
mkdir -p "$prefix/bin" "$share/man" "$share/bash-completion/completions" "$share/zsh/site-functions" \
    "$share/fish/vendor_completions.d"
for name in vp vp-tui; do
    ln -sf "$programs/$name" "$prefix/bin/$name"
    "$programs/$name" --generate-completion-script bash >"$share/bash-completion/completions/$name"
    "$programs/$name" --generate-completion-script zsh >"$share/zsh/site-functions/_$name"
    "$programs/$name" --generate-completion-script fish >"$share/fish/vendor_completions.d/$name.fish"
done
# Pages of commands that there are no longer would stay.
rm -f "$share"/man/man1/vp.1 "$share"/man/man1/vp-*.1 "$share"/man/man5/vp-config.5
python3 "$root/scripts/man.py" "$programs" "$share/man"

echo "vp and vp-tui are in $prefix/bin, man pages and completions in $share."
case :$PATH: in
*":$prefix/bin:"*) ;;
*) echo "Add this to your shell's start-up file: export PATH=\"$prefix/bin:\$PATH\"" ;;
esac
