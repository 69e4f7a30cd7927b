#!/bin/sh
# Sets `changed FILE`, which sets `change` and `than` to find options for files that have changed since FILE was
# written, in their content or otherwise. Busybox's find counts minutes: two more are added, since older files may
# be included and new ones must be. Before version 1.35 it knows the time of the content only; its `-newer` compares
# whole seconds, and misses changes within one.

changed() {
    change=-cnewer than=$1
    ! find "$1" -prune "$change" "$than" >/dev/null 2>&1 || return 0
    change=-cmin than=-$((($(date +%s) - $(stat -c %Y "$1")) / 60 + 2))
    find "$1" -prune "$change" "$than" >/dev/null 2>&1 || change=-mmin
}
