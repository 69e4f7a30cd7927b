#!/bin/sh
# Becomes `sshd`, with our settings in `loopback_control`, whatever the arguments; its error output goes to
# `loopback_log`.
: "${loopback_sshd?}" "${loopback_control?}" "${loopback_log?}"

# sshd as root needs this folder, which a machine that never ran its own sshd does not have.
[ "$(id -u)" != 0 ] || [ -d /run/sshd ] || mkdir -m 755 /run/sshd
exec "$loopback_sshd" -D -e -f "$loopback_control/sshd_config" 2>>"$loopback_log"
