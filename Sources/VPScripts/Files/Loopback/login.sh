#!/bin/sh
# Runs between a plain sshd and the session: the home folder in the user database is a real one.
: "${home?}" "${temporary?}" "${path?}" "${mark?}" "${shell?}"

HOME=$home TMPDIR=$temporary PATH=$path VP_LOOPBACK_MARK=$mark
export HOME TMPDIR PATH VP_LOOPBACK_MARK
cd "$HOME" || exit 1
[ -z "$SSH_ORIGINAL_COMMAND" ] || exec "$shell" -c "$SSH_ORIGINAL_COMMAND"
exec "$shell" -i
