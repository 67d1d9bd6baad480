# shellcheck shell=sh disable=SC2015,SC2154
# A hook of tmux: runs when somebody attaches or detaches, and after keys were sent. It marks the session: the driver
# then discards what was typed between two steps. It turns on echo in a running step while somebody is attached.
# Given in the server's environment: $TS_SESSIONS, the folder of its sessions, and $TS_TMUX; $typed is `keys` if keys
# were sent.
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
