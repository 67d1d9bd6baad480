# shellcheck shell=sh disable=SC1090,SC2016,SC2034,SC2154,SC3028,SC3041,SC3044,SC3062,SC3041
# What the driver calls. Nothing here forks, except where a person is attached, a secret or a capture is at hand.
#
# __train_dir   the session's folder      __train_lib   this folder
# __train_step  the open step, or nothing __train_file  its text
# __train_out   where its output goes when that is captured: `.env` files do not outlive their session
# __train_options  the shell options that the steps have set, as commands to set them again
# __train_word  the first word of a line that was read from the FIFO and has not begun yet
#
# A step passes through the few commands of __train_begin and __train_end: bash copies a function's whole text for
# every call, so what is rarely needed is in functions of its own.
# __train_claiming  the step that is being claimed; __train_over  the status of one that is over and not recorded

# The line in the FIFO is `run STEP MODE LIMIT ECHO`, which `read` takes apart: run, capture or background; seconds for a background step,
# or `-`; what the pane shows of the command, or nothing where that is long: then STEP.head has it.

__train_mark() { # LETTER [FIELD;FIELD]: an operating system command that terminals ignore, to the pane, wherever
    # the steps have sent standard output
    \command printf '\033]7770;%s;%s\007' "$1" "${2-}" >/dev/tty
}

__train_settle() { # the terminal while waiting: no suspending, no echo; and come back here after every prompt
    [ "${__train_prompt-}" = "${PROMPT_COMMAND-}" ] || __train_theirs=${PROMPT_COMMAND-}
    __train_prompt='\. "$__train_lib/driver.sh"'
    [ -z "${BASH_VERSION-}" ] || PROMPT_COMMAND=$__train_prompt
    \command stty susp undef -echo </dev/tty 2>/dev/null
    \command printf '%s\n' "$$" >"$__train_dir/shell"
    \command printf 'open\n' >"$__train_dir/state"
    \command : >"$__train_dir/open"
    __train_mark r "$$"
}

__train_interrupted() { # the driver is entered, after an interrupt maybe: what was half done is done
    [ -z "$__train_saved" ] || \command stty "$__train_saved" </dev/tty 2>/dev/null
    __train_saved=
    # A claim without anything that follows it is ours: the command has not run, and never will.
    if [ -z "$__train_step" ] && [ -n "$__train_claiming" ] && [ -e "$__train_file.claim" ] &&
        [ ! -e "$__train_file.status" ] && [ ! -e "$__train_file.pid" ]; then
        __train_step=$__train_claiming
    fi
    __train_claiming=
    if [ -n "$__train_step" ]; then
        if [ "$__train_mode" = background ] && [ "$__train_before" != "${!-}" ]; then
            __train_forked
        elif [ -s "$__train_file.status" ]; then # recorded when the interrupt came
            IFS= \command read -r __train_over <"$__train_file.status"
            __train_mark e "$__train_step;$__train_over"
            __train_step=
        else
            [ "$__train_mode" != capture ] || \command : >>"$__train_out"
            __train_end "${__train_over:-130}"
        fi
    fi
}

__train_drain() { # throw away what was typed, or it would be the step's input; half a line too
    # Asking the terminal costs more than a step, so tmux notes when somebody came or sent keys (typed.sh).
    [ -e "$__train_dir/attached" ] || \command rm -f -- "$__train_dir/typed"
    # A DEBUG trap that subshells inherit would print into what is read here.
    __train_trace=
    case $- in *T*) __train_trace=1 && set +T ;; esac
    __train_saved=$(\command stty -g </dev/tty 2>/dev/null)
    \command stty -icanon min 0 time 0 </dev/tty 2>/dev/null
    while __train_typed=$(\command dd bs=4096 count=1 </dev/tty 2>/dev/null | \command tr -d '\000') && [ -n "$__train_typed" ]; do
        \command :
    done
    \command stty "$__train_saved" </dev/tty 2>/dev/null
    __train_saved=
    [ -z "$__train_trace" ] || set -T
}

__train_begin() { # STEP: claim the step and show it; fails when it was started before
    __train_file=$__train_dir/steps/$1
    __train_out=$__train_file.out
    [ ! -e "$__train_dir/typed" ] || __train_alone
    [ ! -e "$__train_file.env" ] || __train_take_secrets
    __train_over='' __train_before=${!-} __train_claiming=$1
    set -C
    { \command : >"$__train_file.claim"; } 2>/dev/null || {
        __train_refused
        return 1
    }
    set +C
    __train_step=$1 __train_claiming='' __train_word=''
    # A plain sh tells of background steps that ended when it comes to its next command: not in this step's output.
    case ${BASH_VERSION-} in '') \command jobs >/dev/null 2>&1 ;; esac
    # In place: truncating a file costs more than all else here.
    \command printf '%-64s\n' "$1" 1<>"$__train_dir/current"
    case $__train_echo in
    '') \command cat -- "$__train_file.head" >/dev/tty ;;
    *)
        \command printf '\033]7770;b;%s\007\033[1m$ %s\033[0m\r\n\033]7770;o;%s\007' "$1" "$__train_echo" "$1" >/dev/tty
        ;;
    esac
}

__train_alone() { # somebody typed, or is here: no input is left over, and what they type from now on is shown
    __train_drain
    [ ! -e "$__train_dir/attached" ] || \command stty echo </dev/tty 2>/dev/null
}

__train_refused() { # somebody else has claimed it
    set +C
    __train_claiming=
    [ -z "$__train_secrets" ] || __train_forget
}

__train_take_secrets() { # "NAME LINES" and the value's lines, again and again; the file goes before the step runs
    __train_out=$__train_file.out.env
    while IFS=' ' \command read -r __train_key __train_count; do
        __train_value=
        __train_rest=
        while [ "$__train_count" -gt 0 ]; do
            IFS= \command read -r __train_more
            __train_value=$__train_value$__train_rest$__train_more
            __train_rest='
'
            __train_count=$((__train_count - 1))
        done
        \command export "$__train_key=$__train_value"
        __train_secrets="$__train_secrets $__train_key"
    done <"$__train_file.env"
    __train_value=
    __train_more=
    \command rm -f -- "$__train_file.env"
}

__train_forget() { # unset the step's secrets; a loop over words without the steps' own IFS
    while [ -n "$__train_secrets" ]; do
        __train_secrets=${__train_secrets# }
        \command unset "${__train_secrets%% *}"
        case $__train_secrets in
        *' '*) __train_secrets=${__train_secrets#* } ;;
        *) __train_secrets= ;;
        esac
    done
}

__train_end() { # STATUS [OPTIONS]: the step is over; its status is on disk before the marker is seen
    __train_over=$1
    # A function of the user's by one of these names would break the driver, and goes.
    \unset -f command set eval export '['
    set +euvxC
    case ${2-} in
    '') ;;
    *[euCvx]*) __train_keep "$2" ;;
    *) __train_options=: ;;
    esac
    case $__train_secrets in ?*) __train_forget ;; esac
    case $__train_mode in capture) \command cat -- "$__train_out" >/dev/tty ;; esac
    [ "$1" -le 128 ] && [ ! -e "$__train_dir/typed" ] ||
        \command stty susp undef -echo </dev/tty 2>/dev/null
    case ${PROMPT_COMMAND-} in
    "${__train_prompt-}") ;;
    *) __train_theirs=$PROMPT_COMMAND PROMPT_COMMAND=$__train_prompt ;;
    esac
    __train_record "$1"
    \command printf '\033]7770;e;%s;%s\007' "$__train_step" "$1" >/dev/tty
    __train_step='' __train_over=''
}

__train_keep() { # OPTIONS: the shell options that the next step goes on with
    __train_options=:
    case $1 in *e*) __train_options="$__train_options; set -e" ;; esac
    case $1 in *u*) __train_options="$__train_options; set -u" ;; esac
    case $1 in *C*) __train_options="$__train_options; set -C" ;; esac
    case $1 in *v*) __train_options="$__train_options; set -v" ;; esac
    case $1 in *x*) __train_options="$__train_options; set -x" ;; esac
}

__train_record() { # STATUS; on a full disk an empty file can still be made, so then its name tells
    \command printf '%s\n' "$1" >"$__train_file.status" || \command : >"$__train_file.status=$1"
}

__train_background() { # a child of this shell, not of its job list, or bash would announce it in a later step
    case $__train_limit in -) __train_limit= ;; esac
    { { __train_job 2>&7 7>&- 9<&-; } </dev/null & } 7>&2 2>/dev/null
    __train_forked
}

__train_forked() { # what is to be known of a background step
    \command printf '%s\n' "$!" >"$__train_file.pid"
    __train_mark p "$__train_step"
    [ -z "${BASH_VERSION-}" ] || \command disown "$!" 2>/dev/null
    [ -z "$__train_secrets" ] || __train_forget
    __train_step=
}

__train_job() {
    if [ -z "$__train_limit" ]; then
        (
            eval "$__train_options"
            . "$__train_file"
        )
    else
        __train_limited
    fi
    __train_status=$?
    __train_record "$__train_status"
    __train_mark e "$__train_step;$__train_status"
}

__train_limited() { # with a timeout: groups of their own for the step and for its clock
    set -m
    (
        eval "$__train_options"
        . "$__train_file"
    ) &
    __train_child=$!
    \command printf '%s\n' "$__train_child" >"$__train_file.group"
    (
        \command sleep "$__train_limit"
        \command printf 'timeout\n' >"$__train_file.why"
        for __train_signal in INT TERM KILL; do
            \command kill -s "$__train_signal" -- "-$__train_child"
            \command sleep 3
        done
    ) >/dev/null 2>&1 &
    __train_clock=$!
    \command wait "$__train_child"
    set -- "$?"
    \command kill -s KILL -- "-$__train_clock" 2>/dev/null
    return "$1"
}

__train_release() { # the pane becomes an ordinary shell; an interrupt before the end comes back here
    __train_drain
    \command stty susp '^Z' echo </dev/tty 2>/dev/null
    \command rm -f -- "$__train_dir/open"
    \command printf 'released\n' >"$__train_dir/state"
    __train_mark l
    __train_word=
    [ -n "${BASH_VERSION-}" ] || exec sh -i
    PROMPT_COMMAND=${__train_theirs-}
    __train_prompt=
}
