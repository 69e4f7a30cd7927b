#!/bin/sh
# Installs the Debian packages that are missing: scripts/install.sh [run] [test] [screenshots]
#   run          the packages for building, the demo and the loopback cloud (the default)
#   test         those, and the packages for the tests
#   screenshots  those, and the packages for screenshots/capture.sh and record.py
# Ends quickly if everything is installed.
set -eu

run="ca-certificates libcurl4 git libncurses-dev libsqlite3-dev openssh-client openssh-server rsync bubblewrap python3"
test="$run tmux groff-base python3-venv shellcheck shfmt busybox perl strace"
screenshots="$test xvfb xterm x11-utils imagemagick gifsicle fonts-dejavu-core"

wanted=""
for set in "${@:-run}"; do
    case $set in
    run) wanted="$wanted $run" ;;
    test) wanted="$wanted $test" ;;
    screenshots) wanted="$wanted $screenshots" ;;
    *)
        echo "install.sh: no such set: $set (run, test, screenshots)" >&2
        exit 64
        ;;
    esac
done

if ! command -v swift >/dev/null 2>&1; then
    echo "install.sh: Swift 6.2 or newer is needed and is not in PATH: https://www.swift.org/install/linux/" >&2
    exit 1
fi

if ! command -v dpkg-query >/dev/null 2>&1; then
    # Not Debian: the names differ, the programs do not.
    missing=""
    for program in ssh sshd rsync bwrap python3 git; do
        command -v "$program" >/dev/null 2>&1 || [ -x "/usr/sbin/$program" ] || missing="$missing $program"
    done
    [ -z "$missing" ] && exit 0
    echo "install.sh: these programs are missing; please install them:$missing" >&2
    echo "install.sh: also libcurl, and the development files of ncurses (wide) and SQLite 3." >&2
    exit 1
fi

missing=""
for package in $wanted; do
    case " $missing " in *" $package "*) continue ;; esac
    status=$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null || true)
    # The same library under the name it has had since Debian 13.
    [ "$package" = libcurl4 ] && [ -z "${status##*not-installed*}" ] &&
        status=$(dpkg-query -W -f='${Status}' libcurl4t64 2>/dev/null || true)
    [ "$status" = "install ok installed" ] || missing="$missing $package"
done
[ -z "$missing" ] && exit 0

if [ "$(id -u)" = 0 ]; then
    as_root=""
elif command -v sudo >/dev/null 2>&1 && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
    as_root="sudo"
else
    echo "install.sh: these packages are missing, and there is neither root nor sudo to install them:" >&2
    echo "    apt-get install$missing" >&2
    exit 1
fi

echo "installing:$missing" >&2
# The loopback cloud starts its own sshd; the package must not open a login service on this machine.
case " $missing " in
*" openssh-server "*)
    if [ -d /run/systemd/system ]; then
        $as_root systemctl mask ssh.service ssh.socket >/dev/null 2>&1 || true
        echo "the system's own ssh service stays off (systemctl unmask ssh.service ssh.socket)" >&2
    fi
    ;;
esac
export DEBIAN_FRONTEND=noninteractive
quietly() {
    log=$(mktemp)
    if "$@" >"$log" 2>&1; then rm -f "$log"; else
        status=$?
        cat "$log" >&2
        rm -f "$log"
        return "$status"
    fi
}
quietly $as_root apt-get update
# shellcheck disable=SC2086
quietly $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing
