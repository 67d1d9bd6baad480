# shellcheck shell=sh disable=SC2015,SC2154
# A hook of tmux. tmux runs it when somebody attaches or detaches, and after keys were sent. It makes the file
# `typed` in the session's folder, which makes the driver discard what was typed between two steps. If somebody
# attaches while a step runs, it turns on the terminal's echo. The environment of the tmux server has $TS_SESSIONS,
# the folder of the server's sessions, and $TS_TMUX, the program tmux. $typed is `keys` if keys were sent.
if [ "${typed-}" = keys ]; then
    for dir in "$TS_SESSIONS"/*; do
        [ ! -e "$dir/fifo" ] || : >"$dir/typed"
    done
    exit 0
fi
"$TS_TMUX" list-sessions -F '#{session_attached} #{session_name}' | while read -r count name; do
    dir=$TS_SESSIONS/$name
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
    tty=$("$TS_TMUX" display-message -p -t "$pane" '#{pane_tty}') && stty echo <"$tty"
done
exit 0
