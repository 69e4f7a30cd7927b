#!/bin/sh
# bash reads this file first (`BASH_ENV`): it sources the files that bash would read by itself as the shell of an
# ssh session, and drops their output, which is not the command's.

if [ -n "${VP_BASH_ENV+x}" ]; then
    BASH_ENV=$VP_BASH_ENV
    unset VP_BASH_ENV
else
    unset BASH_ENV
fi
{
    trap 'echo "vp: a start-up file of the shell ended it before the command began" >&2; exit 126' EXIT
    # shellcheck source=/dev/null
    [ ! -r /etc/bash.bashrc ] || . /etc/bash.bashrc
    # shellcheck source=/dev/null
    [ ! -r ~/.bashrc ] || . ~/.bashrc
    trap - EXIT
} >/dev/null 2>&1 </dev/null
