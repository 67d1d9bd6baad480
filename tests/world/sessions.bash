#!/bin/bash
# For bats: ends what still runs in a test's own HOME, and then removes the test's folder.
#
#   load ../../../tests/world/sessions
#   teardown() { leave_nothing "$HERE"; }

homed() { # prints the processes that have this test's HOME; `env` keeps grep itself from being one of them
    [ ! -d /proc/self ] || env -u HOME grep -l -s -z -x -F -e "HOME=$HOME" /proc/[0-9]*/environ | tr -cd '0-9\n'
}

leave_nothing() { # FOLDER: ends the tmux servers of TMUX_TMPDIR and what was started in this HOME; removes FOLDER
    # A server may be on its way when this begins, and what it runs writes until it has ended. It waits for both, at most
    # 20 seconds; what no session ends (a runner, a connection of ssh) is killed after 5. It names what is left, and fails.
    local deadline=$((SECONDS + 20)) socket pids
    while :; do
        for socket in "${TMUX_TMPDIR:?}"/tmux-*/*; do
            [ ! -S "$socket" ] || tmux -S "$socket" kill-server 2>/dev/null || true
        done
        pids=$(homed)
        # Without /proc, the folder itself shows whether a process still writes to it.
        if [ -z "$pids" ] && rm -rf -- "$1" 2>/dev/null; then return 0; fi
        if [ "$SECONDS" -ge "$deadline" ]; then
            [ -z "$pids" ] || ps -o pid=,args= -p "$(printf %s "$pids" | tr '\n' ,)" >&2
            rm -rf -- "$1"
            return 1
        fi
        # shellcheck disable=SC2086
        [ "$((deadline - SECONDS))" -gt 15 ] || kill -s KILL $pids 2>/dev/null || true
        sleep 0.05
    done
}
