#!/bin/sh
# Prints the number of GPUs, then the CUDA version of the driver if it is known.

if command -v nvidia-smi >/dev/null 2>&1; then
    nvidia-smi -L | grep -c '^GPU '
    nvidia-smi | sed -n 's/.*CUDA Version: *\([0-9][0-9.]*\).*/\1/p' | head -n 1
elif [ -e /dev/kfd ]; then
    # shellcheck disable=SC2012
    ls -d /dev/dri/renderD* 2>/dev/null | wc -l
else
    # shellcheck disable=SC2012
    ls -d /dev/nvidia[0-9]* 2>/dev/null | wc -l
fi
