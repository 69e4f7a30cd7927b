#!/bin/sh
# Takes the pictures of the README: the real dashboard in demo mode, in xterm on a virtual screen.
#   screenshots/capture.sh [FOLDER]      writes the PNG files there, or beside this script
# THEMES="dark" SIZES="80x24" takes those of one theme and size only; 8 is a terminal with eight colours.
# SCENES="curves" takes one of the two scenes only: screens, curves.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here}
cd "$here/.."
[ ! -x scripts/install.sh ] || scripts/install.sh screenshots
# VP_TUI names a dashboard that is built already.
program=${VP_TUI:-}
if [ -z "$program" ]; then
    swift build -c release --product vp-tui
    program=$(swift build -c release --show-bin-path)/vp-tui
fi
work=$(mktemp -d)
export HOME="$work" LANG=C.UTF-8 LC_ALL=C.UTF-8 TMPDIR="$work"
unset NO_COLOR CLICOLOR TMUX || true
socket="$work/tmux"
server=""
window=""

finish() {
    [ -z "$window" ] || kill "$window" 2>/dev/null || true
    # The dashboard ends with its terminal, and its cloud with it.
    tmux -S "$socket" kill-server 2>/dev/null || true
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    rm -rf "$work" 2>/dev/null || true
}
trap finish EXIT
trap 'exit 130' INT TERM

# Xvfb takes the first free display and says which one it is.
mkfifo "$work/display"
Xvfb -displayfd 3 -screen 0 2000x1300x24 -nolisten tcp 3>"$work/display" 2>/dev/null &
server=$!
read -r number <"$work/display"
export DISPLAY=":$number"

keys() { tmux -S "$socket" send-keys "$@"; }

text() { tmux -S "$socket" send-keys -l "$1"; }

# Waits until the screen shows a text; keys that came too early are typed again where a second argument names one.
wait_for() {
    tries=0
    until tmux -S "$socket" capture-pane -p | grep -qF -- "$1"; do
        tries=$((tries + 1))
        if [ "$tries" -gt 600 ]; then
            echo "capture.sh: the screen never showed '$1':" >&2
            tmux -S "$socket" capture-pane -p >&2
            exit 1
        fi
        [ -z "${2:-}" ] || [ $((tries % 10)) -ne 0 ] || keys "$2"
        sleep 0.1
    done
}

wait_gone() {
    while tmux -S "$socket" capture-pane -p 2>/dev/null | grep -qF -- "$1"; do
        # The last key may end the dashboard, and tmux with it.
        [ -z "${2:-}" ] || keys "$2" 2>/dev/null || true
        sleep 0.4
    done
}

# Takes the picture once two captures in a row are the same, so that no half-drawn screen gets in.
shot() {
    before=""
    for _ in 1 2 3 4 5 6 7 8; do
        sleep 0.3
        import -window root "$work/shot.png"
        now=$(convert "$work/shot.png" rgb:- | cksum)
        [ "$now" != "$before" ] || break
        before=$now
    done
    convert "$work/shot.png" -background black -trim +repage -bordercolor "$background" -border 6 \
        -depth 8 -colors 256 "$out/$1.png"
    echo "$out/$1.png"
}

# Opens the launch form, waits for a price, presses keys and types a text.
rent() {
    keys 1 c
    wait_for "$1"
    typed=$2
    shift 2
    keys "$@"
    [ -z "$typed" ] || text "$typed"
}

# Starts the dashboard on a cloud of its own: SIZE THEME.
begin() {
    width=${1%x*}
    height=${1#*x}
    theme=$2
    suffix=$1
    background='#101418' foreground='#d0d4d8' colours='-2' inner=tmux-256color outer=xterm-256color
    case $theme in
    light)
        suffix=$1-light
        background='#fbfbf8' foreground='#202428'
        ;;
    8)
        suffix=$1-8
        theme=dark background='#000000' foreground='#e5e5e5' colours='' inner=screen outer=xterm
        ;;
    esac
    tmux -S "$socket" -f /dev/null new-session -d -x "$width" -y "$height" \
        "exec env TERM=$inner $program --demo --theme $theme"
    tmux -S "$socket" set-option -g status off >/dev/null
    # shellcheck disable=SC2086 # an option or none
    xterm -fa 'DejaVu Sans Mono' -fs 9 -bg "$background" -fg "$foreground" -b 4 +sb -geometry "$1+0+0" \
        -e env TERM=$outer tmux $colours -S "$socket" attach &
    window=$!
    wait_for "vast RTX 4090"
}

end() {
    keys q
    wait_gone "1 Instances" y
    wait "$window" || true
    window=""
}

screens() {
    begin "$1" "$2"
    shot "empty-$suffix"

    # Three instances on both platforms, two of them at a training.
    rent "the cheapest of" "" C-u
    text "A6000"
    wait_for "A6000  48G"
    keys C-s
    wait_for "A6000"
    rent "the cheapest of" "" Tab Tab Right Right Tab C-u
    text "0.9"
    keys Up Up Up Up Up
    text "python3 train.py --epochs 600"
    wait_for "rp RTX"
    keys C-s
    rent "the cheapest of" "python3 train.py --epochs 400 --rate 0.3" Up Up
    shot "form-$suffix"
    keys C-s
    wait_for "two-moons-2"
    keys 4
    wait_for "epoch 40/"
    keys 1
    wait_gone "is ready"
    wait_gone "waiting for the first look"
    shot "overview-$suffix"

    keys 4 /
    text "~epoch [0-9]*/[46]00 .*0.9[0-9]"
    keys Enter
    wait_for " of "
    shot "search-$suffix"
    keys Escape
    wait_for "following" G
    keys m
    wait_for "best"
    shot "metrics-$suffix"
    keys m

    keys 1 D
    wait_for "Destroy "
    wait_gone "Comparing its files"
    shot "destroy-$suffix"
    wait_gone "Tab to a button" Escape

    keys 1 '?'
    wait_for "type to find"
    shot "help-$suffix"
    wait_gone "type to find" Escape

    keys 2 e
    wait_for "Search for offers"
    keys C-u
    text "<1.2"
    keys Enter
    wait_for "<1.2 "
    keys o /
    text "rtx !3060 price:<0.9"
    shot "offers-$suffix"
    keys Enter
    end
}

# Runs a training of so many steps as a job: STEPS, then what awk prints for step i.
train() {
    keys 1 r
    wait_for "Run on"
    text "awk 'BEGIN{srand(7);for(i=1;i<=$1;i++)print \"step\",i\"/$1\",$2}'"
    keys Enter
}

# Curves of few and of many points, with a spike, with a validation, and of three jobs at once.
curves() {
    begin "$1" "$2"
    rent "the cheapest of" "true" Up Up
    # A form that has just appeared takes no order.
    sleep 1
    keys C-s
    wait_for "succeeded"
    job=1
    for case in "10|\"loss\",2/(1+i/3)" \
        "500|\"loss\",(i==300?40:2/(1+i/50)+rand()/10)" \
        "100000|\"train_loss\",2/(1+i/5000)+rand()/5,(i%1000?\"\":\"val_loss \"2.1/(1+i/6000)+.1)" \
        "400|\"loss\",2/(1+i/20)+rand()/20" "400|\"loss\",2/(1+i/40)+rand()/20" "400|\"loss\",2/(1+i/90)+rand()/20"; do
        job=$((job + 1))
        train "${case%%|*}" "${case#*|}"
        wait_for "-$job ✓ succeeded"
        keys 3 g m
        wait_for "best"
        case $job in 2) name=10 ;; 3) name=500-spike ;; 4) name=100000-validation ;; *) name="" ;; esac
        [ -z "$name" ] || shot "curves-$name-$suffix"
        keys m
    done
    keys 3 g Space Space Space g m
    wait_for "best"
    shot "curves-three-$suffix"
    end
}

for theme in ${THEMES:-dark light 8}; do
    for size in ${SIZES:-200x50 120x40 80x24}; do
        for scene in ${SCENES:-screens curves}; do "$scene" "$size" "$theme"; done
    done
done
