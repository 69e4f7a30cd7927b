#!/bin/sh
# The start script of RunPod's images: the owner's key, the variables for later sessions, sshd.

echo "Pod started"
env | grep -E '^[A-Z_][A-Z0-9_]*=' | grep -v '^PUBLIC_KEY=' |
    awk -F= '{ value = substr($0, length($1) + 2); print "export " $1 "=\"" value "\"" }' >/etc/rp_environment
echo '. /etc/rp_environment' >>/root/.bashrc
# Without a key nobody could log in, and sshd stays off.
[ -n "$PUBLIC_KEY" ] || exec sleep 2147483647
mkdir -p /root/.ssh
printf '%s\n' "$PUBLIC_KEY" >>/root/.ssh/authorized_keys
chmod 700 /root/.ssh
chmod 600 /root/.ssh/authorized_keys
echo "Start script(s) finished, Pod is ready to use."
exec sshd
