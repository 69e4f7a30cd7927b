#!/bin/sh
# The stand-in for `nvidia-smi` that instances of the loopback cloud find on their `PATH`. It uses POSIX shell and
# awk, which are in every image. `settings` is a file that describes the emulated GPUs, `figures` is nvidia-smi.awk.
# Its figures change with time, differ from GPU to GPU, and depend on the running processes: a Python process (or
# another that looks like training) loads the GPU, and temperature follows load with the inertia of a heat sink.
: "${settings?}" "${figures?}"

# The variables of the settings.
gpu_name='' gpu_count=1 gpu_memory=0 gpu_power=0 gpu_capability='' gpu_identity='' gpu_phase=0
driver_version='' cuda_version='' state_file='' workloads=''
# shellcheck source=/dev/null
. "$settings"
mode=table query='' format='' period='' only=''
while [ $# -gt 0 ]; do
    case $1 in
    --query-gpu=*) mode=query query=${1#*=} ;;
    --query-compute-apps=*) mode=apps query=${1#*=} ;;
    --format=*) format=${1#*=} ;;
    -L | --list-gpus) mode=list ;;
    -l | -i | --loop | --id | -lms)
        [ $# -gt 1 ] || {
            echo "Option $1 needs a value." >&2
            exit 2
        }
        case $1 in
        -l | --loop) period=$2 ;;
        -lms) period=$(awk "BEGIN { print $2 / 1000 }") ;;
        *) only=$2 ;;
        esac
        shift
        ;;
    --loop=*) period=${1#*=} ;;
    --loop-ms=*) period=$(awk "BEGIN { print ${1#*=} / 1000 }") ;;
    --id=*) only=${1#*=} ;;
    --version)
        echo "NVIDIA-SMI version  : $driver_version"
        exit 0
        ;;
    -h | --help)
        echo "NVIDIA System Management Interface -- v$driver_version (stand-in)"
        exit 0
        ;;
    *)
        echo "Invalid combination of input arguments. Please run 'nvidia-smi -h' for help." >&2
        exit 2
        ;;
    esac
    shift
done
if [ $mode = query ] || [ $mode = apps ]; then
    case $format in
    csv*) ;;
    *)
        echo '"--format=" switch is missing. Please run '"'nvidia-smi -h'"' for help.' >&2
        exit 2
        ;;
    esac
fi
workers() {
    # Patterns for names of processes, not for files.
    set -f
    # shellcheck disable=SC2086
    set -- $workloads
    set +f
    for file in /proc/[0-9]*/comm; do
        { read -r name <"$file"; } 2>/dev/null || continue
        for pattern; do
            # shellcheck disable=SC2254
            case $name in
            $pattern)
                id=${file#/proc/}
                echo "${id%/comm} $name"
                break
                ;;
            esac
        done
    done
}
once() {
    busy=$(workers)
    read -r now _ </proc/uptime
    last=''
    [ -r "$state_file" ] && read -r last <"$state_file"
    awk -v mode="$mode" -v query="$query" -v format="$format" -v only="$only" -v busy="$busy" \
        -v now="$now" -v last="$last" -v clock="$(date '+%Y/%m/%d %H:%M:%S')" \
        -v name="$gpu_name" -v count="$gpu_count" -v memory="$gpu_memory" -v limit="$gpu_power" \
        -v capability="$gpu_capability" -v identity="$gpu_identity" -v phase="$gpu_phase" \
        -v driver="$driver_version" -v cuda="$cuda_version" -v state="$state_file" -f "$figures"
}
once || exit $?
while [ -n "$period" ]; do
    sleep "$period" || exit 1
    once || exit $?
done
