#!/bin/sh
# Sets `changed FILE`, which sets `change` and `than` to words of find for what has changed since FILE was written, in
# its content or otherwise. Busybox's find counts minutes: two more are taken, since what is older may count and what
# is new must. Before its version 1.35 it knows the time of the content alone; its `-newer` looks at whole seconds, and
# misses what came within one.

changed() {
    change=-cnewer than=$1
    ! find "$1" -prune "$change" "$than" >/dev/null 2>&1 || return 0
    change=-cmin than=-$((($(date +%s) - $(stat -c %Y "$1")) / 60 + 2))
    find "$1" -prune "$change" "$than" >/dev/null 2>&1 || change=-mmin
}
