# shellcheck shell=sh disable=SC2154,SC2086,SC2034
# Requests about steps; $d is the session's folder, $s a step's file.

step_hand() { # SERVER NAME STEP COMMAND LINE: the fast way to start a step; says `slow` if step_start must do it
    # It does only what a new step in an open session needs, since the host's shell takes longer for step_start.
    d=$r/sessions/$1/$2 s=$r/sessions/$1/$2/steps/$3
    set -C
    if [ ! -e "$s.claim" ] && [ -e "$d/open" ] && printf '%s\n' "$4" >"$s"; then
        set +C
        printf '%s\n' "$5" 1<>"$d/fifo"
    else
        set +C
        say slow
    fi
}

step_put() { # TEXT FILE: writes the file; replaces one that an earlier request left, which may be incomplete or in use
    set -C
    if printf '%s\n' "$1" >"$2"; then
        set +C
    else
        set +C
        printf '%s\n' "$1" >"$2.$$" && mv -f "$2.$$" "$2" || { rm -f -- "$2.$$" && return 1; }
    fi
}

step_noted() { # sets $status and $why of step $s to what is recorded, empty if nothing is
    status='' why=
    if [ -e "$s.status" ]; then
        # On a full disk the status is in the name of an empty file.
        IFS= read -r status <"$s.status" || for f in "$s.status="*; do [ ! -e "$f" ] || status=${f##*=}; done
    fi
    [ ! -r "$s.why" ] || IFS= read -r why <"$s.why"
}

step_told() { # says `again [STATUS [WHY]]`, or `again lost [WHY]`, of a step that was claimed
    step_noted
    if [ "$status" ]; then
        say again "$status" "$why"
        return
    fi
    session_state
    if [ -r "$s.pid" ]; then
        IFS=' ' read -r p x <"$s.pid"
        if [ "$alive" ] || lives "$p" "$x"; then say again; else say again lost "$why"; fi
    elif [ "$alive" ]; then
        say again
    else
        say again lost "$why"
    fi
}

step_known() { # says `step STEP running|ended|lost STATUS WHY` of a step that was claimed
    step_noted
    x=running
    case $status in
    '')
        session_state
        if [ ! "$alive" ] && ! { [ -r "$s.pid" ] && IFS=' ' read -r p y <"$s.pid" && lives "$p" "$y"; }; then x=lost; fi
        ;;
    lost) x=lost ;;
    *) case $why in hung-up* | stuck*) x=lost ;; *) x=ended ;; esac ;;
    esac
    say step "${s##*/}" "$x" "${status:--}" "$why"
}

step_ask() { # SERVER NAME STEP: says as step_told, or `never`, or `elsewhere NODE`
    session_at "$1" "$2"
    s=$d/steps/$3
    if [ -e "$s.claim" ]; then
        step_told
    elif [ ! -e "$d/pid" ] && session_elsewhere; then
        say elsewhere "$other"
    else
        say never
    fi
}

step_start() { # SERVER NAME STEP COMMAND LINE HEAD ENV [--taken STEP...] [--replaces STEP...]
    # Says `again [STATUS [WHY]]` (or `again lost [WHY]`) when it was started before, `full`, or why it is not:
    # `released`, `starting`, `gone STATE`, `elsewhere NODE`. Says nothing when it is sent: the log shows its beginning.
    session_at "$1" "$2"
    s=$d/steps/$3 command=$4 line=$5 head=$6 env=$7
    shift 7
    kind=
    for x in "$@"; do
        case $kind$x in
        *--taken | *--replaces) kind=$x ;;
        # Steps with secrets whose captured output the client has read.
        --taken*) rm -f -- "$d/steps/$x.out.env" ;;
        # Earlier attempts: waits ignore them from now on.
        --replaces*) [ ! -e "$d/steps/$x.claim" ] || : >"$d/steps/$x.told" ;;
        esac
    done
    if [ -e "$s.claim" ]; then
        step_told
    elif [ -e "$d/open" ]; then
        if { [ -z "$head" ] || step_put "$head" "$s.head"; } && step_put "$command" "$s" &&
            { [ -z "$env" ] || step_put "$env" "$s.env"; }; then
            printf '%s\n' "$line" 1<>"$d/fifo"
        else
            rm -f -- "$s" "$s.head" "$s.env"
            say full
        fi
    else
        session_state
        case $alive$state in
        1released*) say released ;;
        1*) say starting ;;
        *none) if session_elsewhere; then say elsewhere "$other"; else say gone none; fi ;;
        *) say gone "$state" ;;
        esac
    fi
}

step_captured() { # SERVER NAME STEP: says the captured output in lines of octal bytes; `gone` when it is not kept
    s=$r/sessions/$1/$2/steps/$3.out
    [ -e "$s" ] || s=$s.env
    if [ -e "$s" ]; then od -An -v -to1 <"$s" | while IFS= read -r x; do say $x; done; else say gone; fi
}

step_mask() { # SERVER NAME [OFFSET LENGTH]...: overwrites what is still kept of these log ranges with *
    session_at "$1" "$2"
    shift 2
    while [ $# -gt 1 ]; do
        b=-1
        for f in "$d"/log.*; do
            n=${f##*/log.}
            [ "$n" -gt "$1" ] || [ "$n" -le "$b" ] || b=$n
        done
        [ "$b" -lt 0 ] || printf "%$2s" '' | tr ' ' '*' | dd of="$d/log.$b" bs=1 seek="$(($1 - b))" conv=notrunc
        shift 2
    done
}

step_interrupt() { # SERVER NAME STEP NUMBER WHY GRACE: replies to NUMBER, later: see end_step
    session_at "$1" "$2"
    session_tmux
    (end_step "$3" "$4" "$5" "$6") &
}

wait_for() { # NUMBER QUEUE ASSIGNMENTS: puts a wait into the watcher's folder, and starts the watcher where there is none
    w=$r/waits/$2
    mkdir -p "$w"
    printf '%s\n' "$3" >"$w/new.$1" && mv "$w/new.$1" "$w/$1"
    [ -z "${watching-}" ] || return 0
    watching=1
    session_tmux
    trap 'rm -rf -- "$w"' EXIT
    trap 'rm -rf -- "$w"; exit' HUP TERM
    (
        trap - EXIT HUP TERM
        . "$lib/watch.sh"
    ) &
}

wait_no_more() { # NUMBER QUEUE
    w=$r/waits/$2
    rm -f -- "$w/$1"
}
