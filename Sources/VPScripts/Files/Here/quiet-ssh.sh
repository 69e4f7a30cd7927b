#!/bin/sh
# Runs `ssh -F CONFIGURATION [-T] ALIAS COMMAND…` and drops everything that is printed before the command on either
# stream. The shell reads that part byte by byte. The exit status is that of ssh.

file=$2
shift 2
[ "$1" != -T ] || shift
alias=$1
shift
mark="vp-start-$$-$(date +%s)"
line_end='
'
exec 4>&1
quiet() {
    early='' line=''
    while IFS= read -r line; do
        case $line in *"$mark") exec cat ;; esac
        early=$early$line$line_end
    done
    # The command never began: this is the output of ssh itself.
    [ "$1" != words ] || printf '%s' "$early$line"
}
status=$({ {
    {
        ssh -F "$file" -T "$alias" "echo $mark; echo $mark >&2; $*"
        echo $? >&3
    } 2>&1 >&5 | quiet words >&2
} 5>&1 | quiet >&4; } 3>&1)
exit "$status"
