#!/bin/sh
# The watchdog. `$1` is the lease's folder; `$2` is `start` if the container has just started, `probe` only checks
# whether the instance's own key works, and `order` carries out the given order.
#
# The folder `~/.vp/lease/` contains `settings`, `watchdog`, `end` (seconds since 1970, or `none`), `cap`, `safe`
# (its time says up to when all files are known to be stored elsewhere), `state` (the last state that the watchdog
# saw) and `log`. `platform_call` is the text of platform-call.py.
: "${platform_call?}"

# Ends this instance when its lease runs out. Put here by vp; see `vp lease`.
lease=$1
umask 077
# The variables of `settings`.
variable='' look='' stop_method='' stop_url='' stop_body='' workspace='' keeps_unsafe='' kept=''
seconds=0 cap_seconds=0 idle_seconds=0 ending=stop idle_ending=stop
# shellcheck source=/dev/null
. "$lease/settings"
jobs=$HOME/.vp/jobs
agent=variousplug-watchdog

say() { printf '%s %s\n' "$(date -u '+%Y-%m-%dT%H:%M:%SZ')" "$1" >>"$lease/log"; }

put() { printf '%s\n' "$2" >"$lease/$1.$$" && mv "$lease/$1.$$" "$lease/$1"; }

number() {
    value=
    [ ! -s "$lease/$1" ] || read -r value <"$lease/$1"
    case $value in '' | *[!0-9]*) echo none ;; *) echo "$value" ;; esac
}

. ./platform-orders.sh

probe() {
    answer=$(call GET "$look" '')
    for pause in 1 3 5; do
        # That the platform was asked too often, or is in trouble, says nothing about the key.
        case $answer in '' | 000* | 429* | 5[0-9][0-9]*) ;; *) break ;; esac
        sleep "$pause"
        answer=$(call GET "$look" '')
    done
    case $answer in
    200*) put guard instance ;;
    '' | 000*) put guard 'none the platform does not answer the instance' ;;
    [0-9][0-9][0-9]*) put guard "none the key of the instance is answered with ${answer%% *}" ;;
    *) put guard "none the instance has $answer" ;;
    esac
}

if [ "$2" = probe ]; then
    probe
    exit
fi

. ./alive.sh

live() {
    for job in "$jobs"/*/; do
        [ ! -s "${job}status" ] && alive "$job" && echo "$job"
    done
}

# outside: prints links of the workspace that lead to folders elsewhere, each followed by its target.
outside() {
    root=$(cd "$workspace" 2>/dev/null && pwd -P) || return 0
    find "$root" -type l 2>/dev/null | while IFS= read -r link; do
        target=$(readlink -f "$link" 2>/dev/null) || continue
        [ -d "$target" ] || continue
        case $target/ in "$root"/* | /proc/* | /sys/* | /dev/* | /run/*) continue ;; esac
        # A folder that contains the workspace or the home is no folder of results.
        case $root/ in "${target%/}/"*) continue ;; esac
        case $HOME/ in "${target%/}/"*) continue ;; esac
        printf '%s\n%s\n' "${link#"$root"/}" "$target"
    done
}

. ./changed.sh
# Succeeds if a file has appeared or changed since everything was known to be stored elsewhere.
unsafe() {
    [ -n "$keeps_unsafe" ] || return 1
    [ -e "$lease/safe" ] || return 0
    [ -d "$workspace" ] || return 1
    changed "$lease/safe"
    [ -z "$(find "$workspace" ! -type d "$change" "$than" 2>/dev/null | head -n 1)" ] || return 0
    [ -n "$(outside | while IFS= read -r name && IFS= read -r target; do
        find "$target" -type f "$change" "$than" 2>/dev/null | head -n 1
    done)" ]
}

# Copies files that a stop would wipe to the disk that survives it: records of jobs, and files behind links.
keep() {
    [ -n "$kept" ] && mkdir -p "$kept/jobs" 2>/dev/null || return 0
    cp -R "$jobs/." "$kept/jobs/" 2>/dev/null
    cp -p "$HOME/.vp/since" "$kept/since" 2>/dev/null
    changed "$HOME/.vp/since"
    volume=/$(echo "${kept#/}" | cut -d / -f 1)
    outside | while IFS= read -r name && IFS= read -r target; do
        case $target/ in "$volume"/*) continue ;; esac
        mkdir -p "$kept/links/$name" || continue
        (cd "$target" && find . -type f "$change" "$than" | tar -cf - -T -) 2>/dev/null |
            tar -xf - -C "$kept/links/$name" 2>/dev/null
    done
    say "what a stop would wipe is kept in $kept"
}

processes() {
    for environment in /proc/[0-9]*/environ; do
        grep -qsz '^VP_JOB=' "$environment" || grep -qs 'VP_JOB=' "$environment" || continue
        process=${environment#/proc/}
        echo "${process%/environ}"
    done
}

# end_jobs REASON LEASE: LEASE is empty if it is not the lease that ends them.
end_jobs() {
    for job in $(live); do
        [ -z "$2" ] || : >"${job}lease-ended"
        printf '\nvp: %s; this job is being ended.\n' "$1" >>"${job}log"
    done
    # shellcheck disable=SC2046
    kill -TERM $(processes) 2>/dev/null
    tries=0
    while [ "$tries" -lt 20 ] && [ -n "$(live)" ]; do
        tries=$((tries + 1))
        sleep 1
    done
    # shellcheck disable=SC2046
    [ -z "$(live)" ] || kill -KILL $(processes) 2>/dev/null
}

# finish REASON ENDING RENEWABLE: the platform ends us with everything else. Returns if the lease was renewed while
# the platform refused; for every end but that of the lease, RENEWABLE is empty.
finish() {
    say "$1: $2"
    end_jobs "$1" "$3"
    pause=5
    was_kept=''
    while :; do
        how=$2
        if [ "$how" = destroy ] && unsafe; then
            how=stop
            say 'there are files that are not known to be elsewhere: the disk is kept'
        fi
        if [ "$how" = stop ] && [ -z "$was_kept" ]; then
            keep
            was_kept=1
        fi
        if [ "$how" = destroy ]; then
            answer=$(call DELETE "$look" '{}')
        else
            answer=$(call "$stop_method" "$stop_url" "$stop_body")
        fi
        say "$how: $answer"
        put state 'ending 0'
        rest "$answer" "$pause"
        later=$(number end)
        if [ -n "$3" ] && { [ "$later" = none ] || [ "$later" -gt "$(date +%s)" ]; }; then
            say 'the lease was renewed'
            return
        fi
        [ "$pause" -ge 60 ] || pause=$((pause * 2))
    done
}

if [ "$2" = order ]; then
    sleep 3
    [ "$(cat "$lease/order" 2>/dev/null)" != discard ] || keeps_unsafe=''
    finish 'its end was ordered' destroy ''
fi

ticks() {
    cat /proc/[0-9]*/stat 2>/dev/null | sed 's/^.*) //' | awk '{ sum += $12 + $13 } END { print sum + 0 }'
}

# Sets `use` and `idle`, the seconds without use, and `gpu_idle`, those without work for the GPU alone. Use that
# cannot be measured counts as use.
watch_use() {
    gpu=$(nvidia-smi --query-gpu=utilization.gpu --format=csv,noheader,nounits 2>/dev/null |
        sort -rn | head -n 1 | tr -d ' ')
    log=$(cat "$jobs"/*/log 2>/dev/null | wc -c)
    cpu=$(ticks)
    use=active
    case $gpu in
    '' | *[!0-9]*) use=unknown gpu_since=$now ;;
    *)
        [ "$gpu" -le 5 ] || gpu_since=$now
        span=$((now - looked_at))
        # Less than a tenth of one processor; a process that has ended takes its ticks with it.
        spent=$((cpu - last_cpu))
        if [ "$gpu" -le 5 ] && [ "$log" -eq "$last_log" ] && [ "$span" -gt 0 ] &&
            [ "$spent" -ge 0 ] && [ "$spent" -le $((span * hertz / 10)) ] &&
            [ -z "$(find /dev/pts -name '[0-9]*' 2>/dev/null | head -n 1)" ]; then
            use=idle
        fi
        ;;
    esac
    last_log=$log
    last_cpu=$cpu
    looked_at=$now
    if [ "$use" = idle ]; then idle=$((now - idle_since)); else idle_since=$now idle=0; fi
    gpu_idle=$((now - gpu_since))
}

put pid $$
now=$(date +%s)
hertz=$(getconf CLK_TCK 2>/dev/null) || hertz=100
looked_at=$now idle_since=$now last_log=-1 last_cpu=0 use=active idle=0 gpu_since=$now gpu_idle=0
if [ "$cap_seconds" -eq 0 ]; then
    put cap none
elif [ "$2" = start ] || [ "$(number cap)" = none ]; then
    put cap $((now + cap_seconds))
fi
if [ "$2" = start ] && [ "$(number end)" != none ]; then put end $((now + seconds)); fi
: >"$lease/seen"
# Otherwise the program that starts this has probed, or does so now: two probes at once are too many for the
# platform.
[ "$2" != start ] || probe
# If another watchdog was started at the same moment, that one continues alone.
while [ "$(number pid)" = $$ ]; do
    # The settings are read again each time, so that new ones need no new watchdog.
    # shellcheck source=/dev/null
    . "$lease/settings"
    now=$(date +%s)
    cap=$(number cap)
    end=$(number end)
    tick=30
    if [ "$seconds" -lt 240 ]; then tick=$((seconds / 8 + 1)); fi
    if [ "$idle_seconds" -gt 0 ] && [ "$idle_seconds" -lt 240 ]; then
        [ "$tick" -le $((idle_seconds / 4 + 1)) ] || tick=$((idle_seconds / 4 + 1))
    fi
    if [ "$end" != none ]; then
        # A job that runs, or has ended since the last look, renews the lease.
        : >"$lease/seen.new"
        if [ -n "$(live)" ] || [ -n "$(find "$jobs" -name status -newer "$lease/seen" 2>/dev/null)" ]; then
            end=$((now + seconds))
        fi
        mv "$lease/seen.new" "$lease/seen"
        if [ "$cap" != none ] && [ "$end" -gt "$cap" ]; then end=$cap; fi
        # A renewal from outside that came in between is later, and stays.
        current=$(number end)
        if [ "$current" != none ] && [ "$end" -gt "$current" ]; then put end "$end"; fi
        [ "$current" = none ] || [ "$current" -le "$end" ] || end=$current
    fi
    watch_use
    put state "$use $idle $gpu_idle"
    case $(cat "$lease/order" 2>/dev/null) in
    destroy) finish 'its end was ordered' destroy '' ;;
    discard)
        keeps_unsafe=''
        finish 'its end was ordered' destroy ''
        ;;
    after-jobs)
        # Results that nobody has downloaded yet are left to the next program that looks, and to the lease.
        if [ -z "$(live)" ] && ! unsafe; then finish 'its last job has ended' destroy ''; fi
        ;;
    esac
    if [ "$end" != none ] && [ "$cap" != none ] && [ "$now" -ge "$cap" ]; then
        finish 'the hard limit of the lease is reached' "$ending" renewable
    elif [ "$end" != none ] && [ "$now" -ge "$end" ]; then
        finish 'the lease of this instance has run out' "$ending" renewable
    elif [ "$idle_seconds" -gt 0 ] && [ "$idle" -ge "$idle_seconds" ]; then
        finish "nothing has used this instance for $idle seconds" "$idle_ending" ''
    fi
    sleep "$tick"
done
