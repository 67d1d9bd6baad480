# shellcheck shell=sh disable=SC2154,SC2086,SC2034
# Requests about steps. $d is the session's folder. $s is the file with a step's text, and the other files of the
# step are named $s.*.

step_hand() { # SERVER NAME STEP COMMAND LINE: starts a step in the fast way. Replies `slow` if the fast way is not
    # possible; then step_start must be used. COMMAND is the step's text. LINE is what is written to the FIFO. The
    # fast way does only what a new step in an open session needs, because the host's shell takes longer for
    # step_start.
    d=$r/sessions/$1/$2 s=$r/sessions/$1/$2/steps/$3
    set -C
    if [ ! -e "$s.claim" ] && [ -e "$d/open" ] && printf '%s\n' "$4" >"$s"; then
        set +C
        printf '\n%s\n' "$5" 1<>"$d/fifo"
    else
        set +C
        say slow
    fi
}

step_put() { # TEXT FILE: writes TEXT to FILE. If FILE exists, it is replaced, because it may be incomplete or in
    # use.
    set -C
    if printf '%s\n' "$1" >"$2"; then
        set +C
    else
        set +C
        printf '%s\n' "$1" >"$2.$$" && mv -f "$2.$$" "$2" || { rm -f -- "$2.$$" && return 1; }
    fi
}

step_noted() { # sets $status and $why to the status and the reason that are recorded for step $s; sets them to ''
    # if none is recorded
    status='' why=
    if [ -e "$s.status" ]; then
        # If the disk was full, the status is not in a file but in the name of an empty file.
        IFS= read -r status <"$s.status" || for f in "$s.status="*; do [ ! -e "$f" ] || status=${f##*=}; done
    fi
    [ ! -r "$s.why" ] || IFS= read -r why <"$s.why"
}

step_told() { # replies about step $s, which was claimed. Replies `again STATUS [WHY]` if the step has ended, `again
    # lost [WHY]` if it is not known how it ended, else `again`.
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

step_known() { # replies about step $s, which was claimed: `step STEP running|ended|lost STATUS WHY`
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

step_ask() { # SERVER NAME STEP: if the step was claimed, replies what step_told replies. Otherwise replies
    # `elsewhere NODE` if the session runs on the machine NODE, which has the same home folder, or else `never`.
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

step_start() { # SERVER NAME STEP COMMAND LINE HEAD ENV [--taken STEP...] [--replaces STEP...]: sends a step to its
    # session.
    # Parameters: COMMAND is the step's text. LINE is written to the FIFO. HEAD is what the pane shows, if LINE does
    # not contain that. ENV has the secrets (see __train_take_secrets). The steps after --taken have secrets, and
    # the client has read their captured output. The steps after --replaces are earlier attempts of this step.
    # If the step was sent to the shell, the host replies nothing, because the log will show that the step begins.
    # If the step was started before, the host replies what step_told replies. Otherwise it replies why the step
    # cannot be sent: `full`, `released`, `starting`, `gone STATE`, `elsewhere NODE`.
    session_at "$1" "$2"
    s=$d/steps/$3 command=$4 line=$5 head=$6 env=$7
    shift 7
    kind=
    for x in "$@"; do
        case $kind$x in
        *--taken | *--replaces) kind=$x ;;
        # The client has read the captured output of this step. The output may contain secrets, so it is removed.
        --taken*) rm -f -- "$d/steps/$x.out.env" ;;
        # This earlier attempt gets a file `.told`, so that waits ignore how the attempt ended.
        --replaces*) [ ! -e "$d/steps/$x.claim" ] || : >"$d/steps/$x.told" ;;
        esac
    done
    if [ -e "$s.claim" ]; then
        step_told
    elif [ -e "$d/open" ]; then
        if { [ -z "$head" ] || step_put "$head" "$s.head"; } && step_put "$command" "$s" &&
            { [ -z "$env" ] || step_put "$env" "$s.env"; }; then
            printf '\n%s\n' "$line" 1<>"$d/fifo"
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

step_captured() { # SERVER NAME STEP: replies with the step's captured output as octal numbers, one for each byte.
    # Replies `gone` if there is no captured output.
    s=$r/sessions/$1/$2/steps/$3.out
    [ -e "$s" ] || s=$s.env
    if [ -e "$s" ]; then od -An -v -to1 <"$s" | while IFS= read -r x; do say $x; done; else say gone; fi
}

step_mask() { # SERVER NAME [OFFSET LENGTH]...: overwrites these ranges of the log with *, as far as the log still
    # has them
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

step_interrupt() { # SERVER NAME STEP NUMBER WHY GRACE: starts a subshell in the background in which end_step ends
    # the step
    session_at "$1" "$2"
    session_tmux
    (end_step "$3" "$4" "$5" "$6") &
}

wait_put() { # NUMBER ASSIGNMENTS: writes the wait's file into the folder $w
    mkdir -p "$w" && printf '%s\n' "$2" >"$w/new.$1" && mv "$w/new.$1" "$w/$1"
} 2>/dev/null

wait_for() { # NUMBER QUEUE ASSIGNMENTS: puts a wait into the folder QUEUE, and starts the watcher (watch.sh) if it
    # does not run. The wait is a file that is named NUMBER and consists of the ASSIGNMENTS. While the disk is full the
    # file cannot be written, so this is tried again every second.
    w=$r/waits/$2
    wait_put "$1" "$3" || {
        (trap - EXIT HUP TERM && until wait_put "$1" "$3" || ! kill -0 "$$"; do sleep 1; done) >/dev/null 2>&1 &
        eval "putting_$1=$!"
    }
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

wait_no_more() { # NUMBER QUEUE: removes the wait NUMBER from QUEUE, the watcher's folder
    w=$r/waits/$2
    eval "x=\${putting_$1-}"
    [ -z "$x" ] || kill "$x" 2>/dev/null
    rm -f -- "$w/$1"
}
