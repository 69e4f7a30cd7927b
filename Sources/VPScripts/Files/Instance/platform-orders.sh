#!/bin/sh
# Sets `key`, `call` and `rest`, for images with curl, Python or GNU wget. Busybox's wget supports one method only.
# `$variable` is the variable with the instance's own key, `$platform_call` the text of platform-call.py; `$lease`
# is a private folder: wget reads the key only from a file.
#
# key: the instance's own key. The container's first process has it, ssh sessions do not.
#
# heads: reads the headers of an answer, and prints the status and the seconds for which it asks for a pause.
#
# call METHOD URL BODY: prints the output of `heads`, or words. The key is passed by pipe or by a variable, which no
# process list shows to others.
#
# rest ANSWER SECONDS: sleeps that long, or as long as the answer asks for, an hour at most.
#
# The comments are up here because a rental has little room for what it carries along.
# shellcheck disable=SC2154

key() { tr '\0' '\n' </proc/1/environ 2>/dev/null | sed -n "s/^$variable=//p" | head -n 1; }

heads() {
    tr -d '\r' | {
        code=000 wait=''
        while read -r name value _; do
            case $name in
            HTTP/*) code=$value wait='' ;;
            [Rr]etry-[Aa]fter:) wait=" $value" ;;
            esac
        done
        case $wait in *[!0-9\ ]* | ??????*) wait='' ;; esac
        echo "$code$wait"
    }
}

rest() {
    wait=${1#???}
    wait=${wait# }
    [ "${wait:-0}" -gt "$2" ] 2>/dev/null || wait=$2
    [ "$wait" -le 3600 ] || wait=3600
    sleep "$wait"
}

call() {
    own=$(key)
    [ -n "$own" ] || {
        echo 'no key of its own'
        return
    }
    if command -v curl >/dev/null 2>&1; then
        printf 'header = "Authorization: Bearer %s"\n' "$own" |
            curl -K - -s -o /dev/null -D - -m 30 -A "$agent" -X "$1" \
                -H 'Content-Type: application/json' -d "$3" "$2" | heads
    elif command -v python3 >/dev/null 2>&1; then
        printf '%s' "$own" | python3 -c "$platform_call" "$1" "$2" "$3" "$agent"
    elif wget --help 2>&1 | grep -q -e --method; then
        printf 'header = Authorization: Bearer %s\n' "$own" >"$lease/wgetrc"
        WGETRC="$lease/wgetrc" wget -q -S -O /dev/null -T 30 -t 1 -U "$agent" --method="$1" \
            --header='Content-Type: application/json' --body-data="$3" "$2" 2>&1 | heads
        rm -f "$lease/wgetrc"
    else
        echo 'no curl, python3 or wget'
    fi
}
