#!/bin/sh
# A person came to a session or left it: while one is there, what they type into a running step is shown.
# usage: typed.sh SESSIONS-FOLDER SESSION here|gone
dir=$1/$2
[ -d "$dir" ] || exit 0
if [ "$3" = gone ]; then
    rm -f -- "$dir/attached"
    exit 0
fi
: >"$dir/attached"
step=
[ ! -r "$dir/current" ] || IFS= read -r step <"$dir/current"
[ -n "$step" ] && [ ! -e "$dir/steps/$step.status" ] || exit 0
tty=$(tmux display-message -p -t "=$2:" '#{pane_tty}') && stty echo <"$tty"
