#!/bin/sh
# shellcheck disable=SC2015
# tmux calls this when a person comes to a session or leaves one, and when keys are sent to it: what was typed
# between two steps is to be thrown away, and while a person is there, what they type into a running step is shown.
# usage: typed.sh SESSIONS-FOLDER [keys], run by the tmux server that has these sessions
if [ "${2-}" = keys ]; then
    for dir in "$1"/*; do
        [ ! -e "$dir/fifo" ] || : >"$dir/typed"
    done
    exit 0
fi
tmux list-sessions -F '#{session_attached} #{session_name}' | while read -r count name; do
    dir=$1/$name
    [ -d "$dir" ] || continue
    : >"$dir/typed"
    if [ "$count" = 0 ]; then
        rm -f -- "$dir/attached"
        continue
    fi
    [ ! -e "$dir/attached" ] || continue
    : >"$dir/attached"
    step=
    [ ! -r "$dir/current" ] || IFS=' ' read -r step <"$dir/current"
    [ -n "$step" ] && [ ! -e "$dir/steps/$step.status" ] && IFS= read -r pane <"$dir/pane" || continue
    tty=$(tmux display-message -p -t "$pane" '#{pane_tty}') && stty echo <"$tty"
done
