#!/bin/sh
# Ends a job whose loss is no longer a number, for `--stop-on nan`. It runs here, so that it works while no program of
# the user's runs. The supervisor reads this file in a process of its own; `$job` is the job's folder, `terminate`
# ends its processes.
#
# It rather misses a broken loss than ends a healthy job. A line counts if it has the number of a step and the
# training's own loss (`loss`, `train_loss`, `total loss` and the like), if this log has shown that loss as a number
# before, and if it is `nan` on three lines of three steps with no number in between. Components of a loss and losses
# of a validation do not count, nor anything behind the name of a validation, nor `+nanz` or `nanms`. It needs awk, dd
# and tr, which every image has; if one is missing the log says so.
#
# Each look reads the new part of the log in blocks that end, because an awk that reads a pipe may wait for more. The
# text keeps the length of the part: a NUL becomes a space and a carriage return a line feed. One more character
# follows, so that the last line is never taken for a whole one.
# shellcheck disable=SC2016,SC2154

read_losses='
function name_of(text) {
    if (match(text, /(^|[^a-z0-9_.\/-])(reduced_train|train|training|step|total|avr|avg|lm)[ _\/.]*$/)) {
        before = substr(text, 1, RSTART)
        if (RSTART == 1 && text ~ /^[a-z]/) before = ""
        own = substr(text, RSTART)
        gsub(/[^a-z]+/, "_", own)
        sub(/^_/, "", own)
        sub(/_$/, "", own)
        return own "_loss"
    }
    before = text
    return "loss"
}
function is_free(text, gap) {
    if (text ~ /[a-z0-9_.\/-]$/) return 0
    gap = text
    sub(/[ \t]+$/, "", gap)
    return gap !~ /([a-z_\/.]|[a-z_\/][0-9]+)$/ || length(text) - length(gap) > 1
}
function step_of(text, id) {
    id = ""
    while (match(text, /(step|iter|iteration|epoch|update|updates|batch|round)[ \t_]*[=:#(\[]*[ \t]*[0-9][0-9.]*|[0-9]+ *\/ *[0-9]+/)) {
        id = id substr(text, RSTART, RLENGTH) ";"
        text = substr(text, RSTART + RLENGTH)
    }
    if (id == "" && match(text, /^[ \t\[]*[0-9]+[ \t]*[:|\]]/)) id = substr(text, 1, RLENGTH)
    gsub(/[ \t]/, "", id)
    return id
}
function look(text, low, rest, gone, found, rank, name, after, good, bad, id) {
    if (text !~ /[Ll][Oo][Ss][Ss]/ || length(text) > 65536) return
    low = tolower(text)
    gsub(escape "\\[[0-9;?]*[a-z]", "", low)
    gsub("[" quote "\"]", "", low)
    rest = low
    gone = ""
    while (match(rest, /loss(_step)?[ \t]*[=:|]?[ \t]*[-+]?(nan(\.0+)?|\.?[0-9])/)) {
        found = substr(rest, RSTART, RLENGTH)
        after = substr(rest, RSTART + RLENGTH, 1)
        gone = gone substr(rest, 1, RSTART - 1)
        rest = substr(rest, RSTART + RLENGTH)
        name = name_of(gone)
        if (is_free(before) && gone !~ /(^|[^a-z])(val|valid|validation|eval|evaluation|evaluating|test|testing|dev|best|min|predict)([^a-z]|$)/) {
            if (found !~ /nan/) good = good name " "
            else if (after == "" || index(" \t,;)}]|(", after) || after == ":" && found ~ /[=:]/) bad = bad name " "
        }
        gone = gone found
    }
    id = step_of(low)
    count_names = split(good, names, " ")
    for (rank = 1; rank <= count_names; rank++) {
        seen[names[rank]] = 1
        count[names[rank]] = 0
        last[names[rank]] = ""
    }
    count_names = split(bad, names, " ")
    for (rank = 1; rank <= count_names; rank++) {
        name = names[rank]
        if (!seen[name] || index(" " good, " " name " ") || id == "" || id == last[name]) continue
        last[name] = id
        count[name]++
        if (count[name] == 1) {
            since[name] = ""
            parts = split(id, part, ";")
            for (each = 1; each <= parts; each++) {
                if (part[each] !~ /^(step|iter|iteration|update|updates)[^0-9]*[0-9]+$/) continue
                gsub(/^[^0-9]*0*/, "", part[each])
                since[name] = part[each]
            }
        }
        if (count[name] == 3 && stop == "") stop = name ":" since[name]
    }
}
BEGIN {
    escape = sprintf("%c", 27)
    quote = sprintf("%c", 39)
    total = split(ENVIRON["losses"], known, " ")
    for (each = 1; each <= total; each++) {
        split(known[each], part, "|")
        seen[part[1]] = 1
        count[part[1]] = part[2] + 0
        since[part[1]] = part[3]
        last[part[1]] = part[4]
    }
    FS = "\n"
}
NR > 1 {
    bytes += length(held) + 1
    if (stop == "") look(held)
}
{ held = $0 }
END {
    line = bytes + 0 " " (stop == "" ? "-" : stop)
    for (name in seen) line = line " " name "|" count[name] "|" since[name] "|" last[name]
    print line
}
'
# Prints the log from byte `$offset` on, at most four megabytes.
log_part() {
    dd if="$job/log" bs=65536 skip=$((offset / 65536)) count=65 2>/dev/null |
        tail -c +$((offset % 65536 + 1)) | tr '\000\r' ' \n'
    echo x
}
# Reads the new part of the log, and sets `words` if that ends the job: the loss, and the step if that is known.
look_at_losses() {
    words=''
    size=$(($(wc -c <"$job/log")))
    while [ "$offset" -lt "$size" ] && [ -z "$words" ]; do
        answer=$(log_part | LC_ALL=C losses="$losses" awk "$read_losses" 2>/dev/null) || return 0
        # shellcheck disable=SC2086
        set -f && set -- $answer && set +f
        case ${1:-} in '' | *[!0-9]*) return 0 ;; esac
        [ "$2" = - ] || words=$2
        if [ "$1" -eq 0 ]; then
            # The whole part is one line: a bar drawn by moves of the cursor, or no text.
            [ $((size - offset)) -ge 4194304 ] || return 0
            offset=$size
            continue
        fi
        offset=$((offset + $1))
        shift 2
        losses=$*
    done
}
watch_losses() {
    trap 'kill "$pause" 2>/dev/null; exit' TERM
    for program in awk dd tr; do
        command -v $program >/dev/null 2>&1 && continue
        printf 'vp: --stop-on nan counts while somebody follows this job: the instance has no %s.\n' $program \
            >>"$job/log"
        exit
    done
    offset=0 losses='' pause=''
    while :; do
        sleep 3 &
        pause=$!
        wait "$pause"
        if [ -s "$job/status" ] || ! alive "$job"; then exit; fi
        look_at_losses
        [ -n "$words" ] || continue
        trap - TERM
        [ ! -s "$job/end" ] || exit
        echo "$words" >"$job/stopped"
        printf '\nvp: the loss is not a number any more (--stop-on nan); this job is being ended.\n' >>"$job/log"
        terminate 10
        exit
    done
}
