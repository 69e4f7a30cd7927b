#!/bin/sh
# Sets `own`, which prints the numbers of the processes of the job in folder `$job`; `reads PROCESS`, which succeeds
# if it reads what another one of `$all` writes; and `terminate SECONDS`, which ends them all.
#
# They are found by the variable `VP_JOB_FOLDER` in their environment (the job's name alone would also match a job
# of another home, if two homes share the processes of a machine), by the command's session, by the record of
# processes that outlived the command, and as descendants of all these and of the waiter. If the waiter is perl, it
# adopts all orphans of the command's processes, so that a process with an empty environment in a session of its own
# is found as well. The supervisor and the waiter are excluded: they record how the job ended.
# shellcheck disable=SC2154

own() {
    session='' waiter='' born='' left=' '
    [ ! -s "$job/pid" ] || read -r session _ <"$job/pid"
    [ ! -s "$job/waiter" ] || read -r waiter born <"$job/waiter"
    if [ -s "$job/left" ]; then while read -r process since; do left="$left$process:$since "; done <"$job/left"; fi
    set=' ' table=''
    for process in $(grep -lzxF "VP_JOB_FOLDER=$job" /proc/[0-9]*/environ 2>/dev/null | tr -dc '0-9\n'); do
        set="$set$process "
    done
    for stat in /proc/[0-9]*/stat; do
        line=''
        { while read -r part; do line="$line$part "; done <"$stat"; } 2>/dev/null
        [ -n "$line" ] || continue
        process=${line%% *}
        # shellcheck disable=SC2086
        set -- ${line##*) }
        [ "$1" != Z ] || continue
        # The waiter runs programs of the instance now and then; they belong to the waiter.
        if [ "$2" = "$waiter" ] && grep -qzx VP_WAITER=1 "/proc/$process/environ" 2>/dev/null; then continue; fi
        table="$table $process:$2"
        if [ "$4" = "${session:-x}" ] || [ "$process:${20}" = "$waiter:$born" ]; then set="$set$process "; fi
        case $left in *" $process:${20} "*) set="$set$process " ;; esac
    done
    more=1
    while [ -n "$more" ]; do
        more=''
        for pair in $table; do
            case $set in
            *" ${pair%:*} "*) ;;
            *" ${pair#*:} "*)
                set="$set${pair%:*} "
                more=1
                ;;
            esac
        done
    done
    for pair in $table; do
        case $set in *" ${pair%:*} "*) [ "${pair%:*}" = "$waiter" ] || echo "${pair%:*}" ;; esac
    done
}
reads() {
    [ -p "/proc/$1/fd/0" ] || return 1
    for writer in $all; do
        [ "$writer" != "$1" ] || continue
        for file in "/proc/$writer/fd/"*; do
            # shellcheck disable=SC3013
            [ "$file" -ef "/proc/$1/fd/0" ] || continue
            value=''
            {
                while read -r key value; do [ "$key" != flags: ] || break; done <"/proc/$writer/fdinfo/${file##*/}"
            } 2>/dev/null
            case $value in *[12]) return 0 ;; esac
        done
    done
    return 1
}
terminate() {
    rounds=$(($1 * 5)) all=$(own)
    waiting=''
    if [ $rounds -gt 0 ]; then
        # A process that reads what another one writes ends after that one, so that no output is lost.
        for process in $all; do
            if reads "$process"; then waiting="$waiting $process"; else kill -TERM "$process" 2>/dev/null; fi
        done
        free=0
        while [ $rounds -gt 0 ]; do
            all=$(own)
            [ -n "$all" ] || return 0
            # The end of its input ends a reader; one that continues gets the signal a second later. If all
            # remaining processes read from each other, none is first.
            blocked='' others=''
            for process in $all; do
                case "$waiting " in
                *" $process "*) ! reads "$process" || blocked=1 ;;
                *) others=1 ;;
                esac
            done
            if [ -z "$blocked" ] || [ -z "$others" ]; then free=$((free + 1)); fi
            if [ $free -eq 5 ]; then
                for process in $waiting; do kill -TERM "$process" 2>/dev/null; done
            fi
            sleep 0.2
            rounds=$((rounds - 1))
        done
    fi
    rounds=15
    while [ $rounds -gt 0 ]; do
        all=$(own)
        [ -n "$all" ] || return 0
        for process in $all; do
            if [ $rounds -gt 12 ] && reads "$process"; then continue; fi
            kill -KILL "$process" 2>/dev/null
        done
        sleep 0.2
        rounds=$((rounds - 1))
    done
}
