#!/bin/sh
# Sets `key` and `call`, for images with curl, Python or GNU wget. Busybox's wget knows one method.
# `$variable` is what the instance's own key is called, `$platform_call` the text of platform-call.py;
# `$lease` is a private folder: wget takes the key from nothing but a file.
# shellcheck disable=SC2154

# The instance's own key. ssh sessions do not have it, the container's first process does.
key() { tr '\0' '\n' </proc/1/environ 2>/dev/null | sed -n "s/^$variable=//p" | head -n 1; }

# call METHOD URL BODY: prints the status of the answer, or a word. The key travels by pipe or by a
# variable, which no list of processes shows to others.
call() {
    own=$(key)
    [ -n "$own" ] || {
        echo 'no key of its own'
        return
    }
    if command -v curl >/dev/null 2>&1; then
        printf 'header = "Authorization: Bearer %s"\n' "$own" |
            curl -K - -s -o /dev/null -w '%{http_code}' -m 30 -A "$agent" -X "$1" \
                -H 'Content-Type: application/json' -d "$3" "$2"
    elif command -v python3 >/dev/null 2>&1; then
        printf '%s' "$own" | python3 -c "$platform_call" "$1" "$2" "$3" "$agent"
    elif wget --help 2>&1 | grep -q -e --method; then
        printf 'header = Authorization: Bearer %s\n' "$own" >"$lease/wgetrc"
        WGETRC="$lease/wgetrc" wget -q -S -O /dev/null -T 30 -t 1 -U "$agent" --method="$1" \
            --header='Content-Type: application/json' --body-data="$3" "$2" 2>&1 |
            sed -n 's/^ *HTTP\/[0-9.]* \([0-9]*\).*/\1/p' | tail -n 1
        rm -f "$lease/wgetrc"
    else
        echo 'no curl, python3 or wget'
    fi
}
