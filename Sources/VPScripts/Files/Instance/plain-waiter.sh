#!/bin/sh
# The waiter of the supervisor on machines without perl. `wait_plainly` starts the command, waits, and writes how it
# ended to `end`. A shell returns 137 in either case, but prints a word on standard error if a signal was the cause,
# except for INT and PIPE and, in bash, TERM; those are recorded as `either`. The exit status of a process that
# outlived the command is not known here. Times are hundredths of a second.
# shellcheck disable=SC2034,SC2154

# Rewrites `background`: the processes in `$others` are in state `$1`, and how the others ended is unknown.
tell() {
    list=' '
    for process in $others; do list="$list$process "; done
    {
        if [ -s "$job/background" ]; then
            while read -r state number active born words; do
                case $state$list in
                running*" $number "*) continue ;;
                running*)
                    state=unknown
                    eval "active=\$((\${active_$number:-0} / 100))"
                    ;;
                esac
                printf '%s\n' "$state $number $active $born $words"
            done <"$job/background"
        fi
        for process in $others; do
            stat=''
            { read -r stat <"/proc/$process/stat"; } 2>/dev/null
            [ -n "$stat" ] || continue
            words=$({ tr '\000-\037\177' ' ' <"/proc/$process/cmdline" | head -c 200; } 2>/dev/null)
            if [ -z "$words" ]; then words=${stat#*(} words=${words%)*}; fi
            # shellcheck disable=SC2086
            set -- "$1" ${stat##*) }
            # A process that waits for another one reports the end of that one by its own.
            case $1$list in running*" $3 "*) continue ;; esac
            eval "active=\${active_$process:-0}"
            printf '%s\n' "$1 $process $((active / 100)) ${21} $words"
        done
    } >"$job/background-new"
    mv -f "$job/background-new" "$job/background"
}
size() {
    size=$(($(wc -c <"$job/log")))
    [ ! -e "$job/errors" ] || size=$((size + $(wc -c <"$job/errors")))
}
measure() {
    passed=$((now - measured)) measured=$now wrote='' moved=''
    [ "$others" = "$members" ] || moved=1
    members=$others
    gpus='' users=' '
    if command -v nvidia-smi >/dev/null 2>&1; then
        for load in $(nvidia-smi --query-gpu=utilization.gpu --format=csv,noheader,nounits 2>/dev/null); do
            case $load in
            *[!0-9]*) ;;
            *)
                [ -n "$gpus" ] || gpus=0
                [ "$load" -lt 5 ] || gpus=1
                ;;
            esac
        done
        # A loaded model without requests is no work.
        if [ "${gpus:=1}" = 1 ]; then
            for process in $(nvidia-smi --query-compute-apps=pid --format=csv,noheader 2>/dev/null); do
                users="$users$process "
            done
        fi
    fi
    for process in $others; do
        stat='' chars=0 works=''
        { read -r stat <"/proc/$process/stat"; } 2>/dev/null
        # shellcheck disable=SC2086
        set -- ${stat##*) }
        [ $# -gt 19 ] || continue
        ticks=$((${12} + ${13} + ${14} + ${15}))
        {
            while read -r key value; do
                case $key in wchar: | write_bytes:) chars=$((chars + value)) ;; esac
            done <"/proc/$process/io"
        } 2>/dev/null
        before='' earlier=''
        eval "before=\${ticks_$process:-} earlier=\${chars_$process:-}"
        eval "ticks_$process=$ticks chars_$process=$chars"
        [ -z "$before" ] || [ $((ticks - before)) -lt $((passed / 10)) ] || works=1
        [ "$chars" = "$earlier" ] || wrote="$wrote $process"
        if [ "$gpus" = 1 ]; then
            case $users in *" $process "*) works=1 ;; esac
            for file in "/proc/$process/fd/"*; do
                for device in /dev/nvidia[0-9]*; do
                    # shellcheck disable=SC3013
                    [ ! "$file" -ef "$device" ] || works=1
                done
            done
        fi
        if [ -n "$works" ]; then work; fi
    done
    before=$size written=''
    size
    [ "$size" -le "$before" ] || written=1
    if [ "$now" -ge "$walk" ]; then
        : >"$job/looked-new"
        if [ -z "$written" ] && [ -n "$wrote$moved" ] && [ -e "$job/looked" ]; then
            for folder in "$root" .; do
                if [ "$folder" = / ] || [ -n "$written" ]; then continue; fi
                written=$(find "$folder" -type f -newer "$job/looked" -print 2>/dev/null | head -n 1)
            done
        fi
        mv -f "$job/looked-new" "$job/looked"
        walk=$now
        now
        walk=$((now + 20 * (now - walk)))
    fi
    if [ -n "$written" ]; then
        for process in ${wrote:-$others}; do work; done
    fi
}
work() {
    silent=$now busy=$now
    eval "active_$process=\$((\${active_$process:-0} + passed))"
}
wait_for_background() {
    busy=$ended silent=$ended measured=$ended walk=0 members='' shown='' ending=''
    others=$(own)
    size
    # Processes that a command line puts into the background itself are reported however soon they end; a process
    # that reads a pipe of the command, or is just ending, needs a moment.
    case $(tr '\n' ' ' <"$job/command") in
    *[!\&\<\>]\&[!\&\>]* | *[!\&\<\>]\&)
        all=$others others=''
        for process in $all; do [ -p "/proc/$process/fd/0" ] || others="$others $process"; done
        [ -z "$others" ] || tell running
        others=$all
        ;;
    esac
    pause=0.01
    while [ -n "$others" ] && [ $((now - ended)) -lt 100 ]; do
        sleep $pause
        pause=0.1
        others=$(own)
        now
    done
    interval=$((linger * 20))
    [ $interval -ge 100 ] || interval=100
    [ $interval -le 1000 ] || interval=1000
    [ -z "$others" ] || measure
    while [ -n "$others" ]; do
        if [ "$others" != "$shown" ]; then
            [ -z "$shown" ] || busy=$now
            tell running
            shown=$others
        fi
        if [ -e "$job/cancelled" ] || [ -e "$job/limit-reached" ]; then
            # Other code ends them; a process that survives even that must not keep the job open forever.
            ending=${ending:-$now} grace=10
            [ ! -s "$job/cancelled" ] || read -r grace <"$job/cancelled"
            [ $((now - ending)) -le $(((grace + 15) * 100)) ] || break
        elif [ $((now - measured)) -ge $interval ] || [ "$linger" -eq 0 ]; then
            measure
            [ $((now - silent)) -lt $((linger * 100)) ] || break
        fi
        if [ $((now - ended)) -lt 1000 ] || [ -n "$ending" ]; then sleep 0.2; else sleep 1; fi
        others=$(own)
        now
    done
    if [ -n "$others" ]; then
        for process in $others; do
            stat=''
            { read -r stat <"/proc/$process/stat"; } 2>/dev/null
            # shellcheck disable=SC2086
            set -- ${stat##*) }
            [ $# -le 19 ] || echo "$process ${20}"
        done >"$job/left"
        tell left
    elif [ -e "$job/background" ]; then
        tell left
    fi
}
wait_plainly() {
    # shellcheck disable=SC3040
    [ -z "${BASH_VERSION:-}" ] || set +o posix
    started=$(date +%s)
    now
    began=$now
    set -- "$shell" "$job/command"
    [ "$(($(wc -c <"$job/command")))" -ge 100000 ] || set -- "$shell" -c "$(cat "$job/command")"
    # A `tail --pid` that follows the log waits for this one: the command's own process may end sooner.
    if tail --pid=$$ -c 0 /dev/null 2>/dev/null; then
        tail --pid=$$ -f /dev/null </dev/null >/dev/null 2>&1 &
        sentinel=$!
        echo "$sentinel" >"$job/watched"
    fi
    # The shell prints nothing about a child that ends before it is waited for. Therefore the command begins when
    # this shell sleeps, which it does only in `wait`.
    VP_JOB=${job##*/} VP_JOB_FOLDER=$job setsid sh "$job/loader" "$$" "$job/environment" "$@" <"$input" &
    child=$!
    echo "$child $started" >"$job/pid"
    wait "$child" 2>"$job/how"
    code=$?
    now
    ended=$now
    end="code=$code"
    if [ "$code" -gt 128 ]; then
        if [ -s "$job/how" ]; then end="signal=$((code - 128))"; else
            case $code/${BASH_VERSION:+bash} in 130/* | 141/* | 143/bash) end="either=$code" ;; esac
        fi
    fi
    wait_for_background
    end="$end start=$started lasted=$((busy - began)) bytes=$(($(wc -c <"$job/log")))"
    [ ! -e "$job/errors" ] || end="$end errors=$(($(wc -c <"$job/errors")))"
    echo "$end" >"$job/end"
    [ -z "$sentinel" ] || {
        kill "$sentinel"
        wait "$sentinel"
    } 2>/dev/null
}
