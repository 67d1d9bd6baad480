#!/bin/sh
# A person came to a session or left one: while one is there, what they type into a running step is shown.
# usage: typed.sh SESSIONS-FOLDER, run by the tmux server that has these sessions
tmux list-sessions -F '#{session_attached} #{session_name}' | while read -r count name; do
    dir=$1/$name
    [ -d "$dir" ] || continue
    if [ "$count" = 0 ]; then
        rm -f -- "$dir/attached"
        continue
    fi
    [ ! -e "$dir/attached" ] || continue
    : >"$dir/attached"
    step=
    [ ! -r "$dir/current" ] || IFS= read -r step <"$dir/current"
    [ -n "$step" ] && [ ! -e "$dir/steps/$step.status" ] && IFS= read -r pane <"$dir/pane" || continue
    tty=$(tmux display-message -p -t "$pane" '#{pane_tty}') && stty echo <"$tty"
done
