# shellcheck shell=sh disable=SC1090,SC2016,SC2034,SC2154,SC3028,SC3041,SC3044,SC3045,SC3054
# The functions of the driver, the loop that runs steps. The functions do not depend on the user's PATH, shell
# options, traps, variables or terminal modes. If a step's command cannot begin, the reason is recorded instead of
# an exit status. POSITIONAL... in the description of a function means the positional parameters of the session's
# shell.
#
# __train_dir   the session's folder       __train_lib   the folder of this file  __train_key  the key in each sentinel
# __train_step  the step that has begun and not ended, or nothing
# __train_file  the file with that step's text                  __train_ran  1 once that text has been run
# __train_out   the file for that step's captured output; its name ends in `.env` if the step has secrets, because
#               pane.sh and logger.sh remove such files when the session ends
# __train_options  the shell options that the steps have set, as commands that set them
# __train_line  the line that was read from the FIFO and has not begun yet: `run STEP MODE LIMIT ECHO`
# __train_claiming  the step that is being claimed; __train_over  the status of an ended step, not recorded yet
#
# bash copies the whole text of a function at every call, so rarely needed code is in separate functions.

__train_tell() { # LETTER [FIELD;FIELD]: writes a sentinel (see sentinels.py) to the terminal, even if a step has
    # redirected stdout
    \command printf '\033]7770;%s;%s;%s\007' "$__train_key" "$1" "${2-}" >/dev/tty
}

__train_call() { # PROGRAM WORDS...: runs PROGRAM from the system's default path. If PROGRAM is not there, runs it
    # from PATH.
    \command -p "$@" || { [ "$?" -ne 127 ] || \command "$@"; }
}

__train_enter() { # POSITIONAL...: prepares the shell for steps, and writes the sentinel `r`. The driver calls this
    # at the start, after an interrupt, and when a released session is reclaimed.
    [ -z "${BASH_VERSION-}" ] || __train_hold
    __train_noted=
    # If an interrupt ends bash's `read` in the middle of a file, bash keeps what it has read. The next `read`, even
    # of another file, would get it. Here it is discarded.
    [ -z "${BASH_VERSION-}" ] || while IFS= \command read -r __train_more; do \command :; done </dev/null
    if [ ! -w /dev/tty ] || ! { \command : >/dev/tty; }; then __train_alone_left; fi
    __train_interrupted "$@"
    __train_call stty susp undef -echo </dev/tty
    [ -e "$__train_dir/pid" ] || __train_closed
    \command printf '%s %s\n' "$$" "$__train_start" >"$__train_dir/shell"
    \command printf 'open\n' >"$__train_dir/state"
    \command : >"$__train_dir/open"
    [ -e "$__train_dir/pid" ] || __train_closed
    __train_tell r "$$;$__train_unread"
}

__train_alone_left() { # called if the terminal is gone: records that the session is gone, and exits
    \command rm -f -- "$__train_dir/open" || __train_call rm -f -- "$__train_dir/open"
    \command printf 'hung up\n' >"$__train_dir/state"
    \command exit 129
}

__train_closed() { # called if the session was closed while this shell was starting, which removes the file `pid`:
    # records that the session is closed, and exits
    \command rm -f -- "$__train_dir/open" || __train_call rm -f -- "$__train_dir/open"
    \command printf 'closed\n' >"$__train_dir/state"
    \command exit 129
}

__train_interrupted() { # POSITIONAL...: completes what was left unfinished when an interrupt made the shell leave
    # the driver
    [ -z "$__train_saved" ] || __train_call stty "$__train_saved" </dev/tty
    __train_saved=
    # If the interrupt came right after the step was claimed, the step's command has not run and will never run.
    if [ -z "$__train_step" ] && [ -n "$__train_claiming" ] && [ -e "$__train_file.claim" ] &&
        [ ! -e "$__train_file.status" ] && [ ! -e "$__train_file.pid" ]; then
        __train_step=$__train_claiming
        __train_ran=
    fi
    __train_claiming=
    [ -n "$__train_step" ] || return 0
    case $__train_how in capture*) \command : >>"$__train_out" ;; esac
    if [ "$__train_how" = background ] && [ "$__train_before" != "${!-}" ]; then
        __train_forked "$@"
    elif [ -s "$__train_file.status" ]; then # the status was recorded before the interrupt came
        IFS= \command read -r __train_over <"$__train_file.status"
        __train_tell e "$__train_step;$__train_over"
        __train_step=
    elif [ -z "$__train_ran" ]; then
        __train_ran=1 __train_status=130
        __train_end "$@"
    else
        # An interrupt is not the only cause that makes the shell leave the step's text. Others are an unset
        # variable under `set -u`, ${x:?}, and an assignment to a readonly variable. After these errors the status
        # is that of the error.
        __train_status=${__train_over:-$__train_status}
        [ "$__train_status" -ne 0 ] || __train_status=130
        __train_end "$@"
    fi
}

__train_next() { # POSITIONAL...: waits for the next step and begins it, or waits until a snapshot must be written.
    # Sets $__train_how to the step's mode, or to `note` for a snapshot. Fails if the session must be released.
    # Aliases may be turned on now: the shell has already parsed the whole driver, so aliases no longer change the
    # driver.
    case $__train_aliases in ?*) \shopt "$__train_aliases" expand_aliases && __train_aliases='' ;; esac
    while \command :; do
        # If a step's text calls `continue`, the driver's loop comes here although the step has not ended.
        case $__train_step in ?*) __train_status=0 __train_flags=$- && \set +euvxC && __train_end "$@" ;; esac
        case $__train_line in '') __train_wait || \command exit 129 ;; esac
        case $__train_line in
        run\ *)
            __train_rest=${__train_line#* }
            __train_name=${__train_rest%% *} __train_rest=${__train_rest#* }
            __train_how=${__train_rest%% *} __train_rest=${__train_rest#* }
            __train_limit=${__train_rest%% *} __train_echo=
            case $__train_rest in *' '*) __train_echo=${__train_rest#* } ;; esac
            if __train_begin "$__train_name"; then return 0; fi
            ;;
        release)
            case $__train_idle in ?*) __train_how=note && return 0 ;; esac
            __train_release && return 1
            ;;
        note\ * | idle)
            # If nothing has run since the last snapshot, that snapshot is still right.
            case ${BASH_VERSION-}$__train_idle:$__train_noted in
            "${BASH_VERSION-}: $__train_last") ;;
            [0-9]*) __train_how=note && return 0 ;;
            esac
            \command : >"$__train_dir/noted.${__train_line#* }"
            ;;
        closing) __train_idle= ;;
        esac
        __train_line=
    done
}

__train_wait() { # reads a line from the FIFO into $__train_line. If no line comes for a moment after a step, sets
    # $__train_line to `idle`, so that a snapshot is written.
    __train_got=
    case $__train_idle in
    ?*)
        # Only the first character is read with a time limit, because with a limit bash calls select(2) before every
        # character. The rest of the line was written together with the first character, so it needs no limit.
        if IFS= \command read -r -n 1 -t "$__train_idle" __train_got <&9; then
            IFS= \command read -r __train_line <&9 && __train_line=$__train_got$__train_line && return 0
            __train_got=$__train_got$__train_line
        else
            __train_line=idle
            return 0
        fi
        ;;
    esac
    while [ -n "$__train_unsaved" ]; do
        # The disk was full, so that some statuses could not be recorded. Try again while no step runs.
        if IFS= \command read -r -t 1 __train_line <&9; then
            __train_line=$__train_got$__train_line
            return 0
        fi
        __train_got=$__train_got$__train_line
        __train_save
        [ -n "${BASH_VERSION-}" ] || break
    done
    # A status above 128 means that `read` timed out. This happens if the user has set TMOUT.
    until IFS= \command read -r __train_line <&9; do
        if [ "$?" -gt 128 ]; then
            __train_got=$__train_got$__train_line
        else
            [ -p "$__train_dir/fifo" ] && \exec 9<>"$__train_dir/fifo" || return 1
        fi
    done
    __train_line=$__train_got$__train_line
}

__train_begin() { # STEP: claims the step and shows its command in the pane; fails if the step must not run
    __train_file=$__train_dir/steps/$1
    __train_out=$__train_file.out
    __train_over='' __train_ran='' __train_before=${!-}
    [ ! -e "$__train_dir/typed" ] || __train_typed
    if [ -e "$__train_file.env" ] && ! __train_take_secrets; then
        __train_refuse "$1" "its secrets could not be removed from the disk"
        return 1
    fi
    __train_claiming=$1
    \set -C
    { \command : >"$__train_file.claim"; } || {
        \set +C
        __train_claiming=
        [ -z "$__train_secrets" ] || __train_forget
        return 1
    }
    \set +C
    __train_step=$1 __train_claiming='' __train_line=''
    # The file is overwritten in place. To truncate it would take more time than everything else here.
    \command printf '%-64s\n' "$1" 1<>"$__train_dir/current"
    case $__train_echo in
    '') __train_head ;;
    *)
        \command printf '\033]7770;%s;b;%s\007\033[1m$ %s\033[0m\r\n\033]7770;%s;o;%s\007' "$__train_key" "$1" \
            "$__train_echo" "$__train_key" "$1" >/dev/tty
        ;;
    esac || {
        __train_not_started "its terminal is gone"
        __train_alone_left
    }
    if [ ! -r "$__train_file" ]; then
        __train_not_started "its text is gone"
        return 1
    fi
    case $__train_how$__train_options in
    background*) ;;
    *'set -e;'*) __train_how=$__train_how-e ;;
    esac
}

__train_head() { # shows the first lines of a long command
    \command printf '\033]7770;%s;b;%s\007\033[1m$ ' "$__train_key" "$__train_step" >/dev/tty || return
    __train_more=
    while IFS= \command read -r __train_rest; do
        \command printf '%s%s' "$__train_more" "$__train_rest" >/dev/tty || return
        __train_more='
'
    done <"$__train_file.head"
    \command printf '\033[0m\r\n\033]7770;%s;o;%s\007' "$__train_key" "$__train_step" >/dev/tty
}

__train_refuse() { # STEP REASON: claims a step so that it never runs, and records REASON as the reason
    { \set -C && \command : >"$__train_file.claim"; } && __train_step=$1
    \set +C
    __train_line=
    [ -z "$__train_secrets" ] || __train_forget
    [ -z "$__train_step" ] || __train_not_started "$2"
}

__train_not_started() { # REASON: records that the command of the step $__train_step has not begun and will never
    # begin
    \command printf 'not-started %s\n' "$1" >"$__train_file.why"
    \command printf 'none\n' >"$__train_file.status"
    [ -z "$__train_secrets" ] || __train_forget
    __train_tell e "$__train_step;none;not-started"
    __train_step=
}

__train_typed() { # called if a person has typed or is attached. Discards the pending input. Turns the terminal's
    # echo on if somebody is attached.
    __train_drain
    [ ! -e "$__train_dir/attached" ] || __train_call stty echo </dev/tty
}

__train_drain() { # discards what was typed, including an incomplete line, because otherwise the step would read it.
    # To check the terminal takes longer than a step. So this function is called only after tmux has recorded (see
    # typed.sh) that somebody attached or sent keys.
    [ -e "$__train_dir/attached" ] || __train_call rm -f -- "$__train_dir/typed"
    __train_saved=$(__train_call stty -g </dev/tty)
    __train_call stty -icanon min 0 time 0 </dev/tty
    while __train_more=$(__train_call dd bs=4096 count=1 </dev/tty | __train_call tr -d '\000') && [ -n "$__train_more" ]; do
        \command :
    done
    __train_call stty "$__train_saved" </dev/tty
    __train_saved=
}

__train_take_secrets() { # exports the secrets in STEP.env as environment variables, and deletes that file.
    # For each secret, the file has a line "NAME COUNT", and then the COUNT lines of the value. Fails if the file
    # cannot be deleted.
    __train_out=$__train_file.out.env
    while IFS=' ' \command read -r __train_secret __train_count; do
        __train_value=
        __train_rest=
        while [ "$__train_count" -gt 0 ]; do
            IFS= \command read -r __train_more
            __train_value=$__train_value$__train_rest$__train_more
            __train_rest='
'
            __train_count=$((__train_count - 1))
        done
        \command export "$__train_secret=$__train_value"
        __train_secrets="$__train_secrets $__train_secret"
    done <"$__train_file.env"
    __train_value=
    __train_more=
    __train_call rm -f -- "$__train_file.env"
    [ ! -e "$__train_file.env" ]
}

__train_forget() { # POSITIONAL...: unsets the step's secrets. It does not use IFS, because a step may have changed
    # IFS.
    while [ -n "$__train_secrets" ]; do
        __train_secrets=${__train_secrets# }
        [ -z "${BASH_VERSION-}" ] || __train_taint "${__train_secrets%% *}" "$@"
        \command unset "${__train_secrets%% *}"
        case $__train_secrets in
        *' '*) __train_secrets=${__train_secrets#* } ;;
        *) __train_secrets= ;;
        esac
    done
    __train_traps=
}

__train_end() { # POSITIONAL...: ends the step $__train_step. $__train_status has the step's exit status, and
    # $__train_flags the shell options. The status is on disk before the sentinel is printed, unless the disk is
    # full. A step may have defined functions with the names below, or disabled builtins by `enable -n`. Either
    # would break the driver. So these functions are unset, and the builtins are enabled.
    case ${BASH_VERSION-} in
    '') \unset -f command '[' ;;
    *)
        \unset -f builtin enable
        \enable . : '[' break builtin command continue declare disown eval exec exit export printf read return set shopt trap unset wait
        \builtin unset -f command set eval '[' exec . unset shopt
        ;;
    esac
    \set +euvxC
    __train_over=$__train_status
    case $__train_ran in
    '')
        __train_not_started "its input or output could not be opened"
        return
        ;;
    esac
    case $__train_flags in
    *[euCvxTE]*) __train_keep "$__train_flags" ;;
    *) __train_options=: ;;
    esac
    case $__train_secrets in ?*) __train_forget "$@" ;; esac
    case $__train_how in capture*) __train_call cat -- "$__train_out" >/dev/tty ;; esac
    # If the terminal is gone, the hangup has ended the command.
    case $__train_status in 129 | 143) { \command : >/dev/tty; } || \command printf 'hung-up\n' >"$__train_file.why" ;; esac
    [ "$__train_status" -le 128 ] && [ ! -e "$__train_dir/typed" ] || __train_call stty susp undef -echo </dev/tty
    case ${PROMPT_COMMAND-} in
    "$__train_prompt") ;;
    *) __train_hold_prompt ;;
    esac
    __train_last=$__train_step __train_idle=$__train_moment
    __train_record "$__train_file" "$__train_status" || __train_unsaved="$__train_unsaved $__train_file=$__train_status"
    __train_tell e "$__train_step;$__train_status"
    __train_step='' __train_over=''
}

__train_keep() { # OPTIONS: sets $__train_options to commands that set these shell options again for the next step
    [ -z "${BASH_VERSION-}" ] || \set +TE
    __train_options=:
    case $1 in *T*E* | *E*T*) __train_extended ;; esac
    # `[` compares E and e, because after `shopt -s nocasematch` `case` would not distinguish them.
    __train_rest=$1
    while [ -n "$__train_rest" ]; do
        __train_more=${__train_rest%"${__train_rest#?}"}
        __train_rest=${__train_rest#?}
        if [ "$__train_more" = e ]; then __train_options="$__train_options; set -e;"; fi
        if [ "$__train_more" = u ] || [ "$__train_more" = C ] || [ "$__train_more" = v ] || [ "$__train_more" = x ] ||
            [ "$__train_more" = T ] || [ "$__train_more" = E ]; then
            __train_options="$__train_options; set -$__train_more"
        fi
    done
}

__train_record() { # FILE STATUS: writes STATUS to FILE.status. If the disk is full, it makes the empty file
    # FILE.status=STATUS instead, and fails only if this is impossible too.
    \command printf '%s\n' "$2" >"$1.status" || \command : >"$1.status=$2"
}

__train_save() { # tries again to record the statuses that could not be written because the disk was full
    __train_rest=$__train_unsaved __train_unsaved=
    while [ -n "$__train_rest" ]; do
        __train_rest=${__train_rest# }
        __train_more=${__train_rest%% /*}
        __train_record "${__train_more%=*}" "${__train_more##*=}" || __train_unsaved="$__train_unsaved $__train_more"
        case $__train_rest in
        *' /'*) __train_rest=/${__train_rest#* /} ;;
        *) __train_rest= ;;
        esac
    done
}

__train_background() { # POSITIONAL...: starts a background step.
    # The step is removed from bash's list of jobs. Otherwise bash would report the step's end during a later step.
    if \command : 7>&2; then
        { { __train_job 2>&7 7>&- 9<&-; } </dev/null & } 7>&2 2>/dev/null
    else # a step has closed stderr
        { __train_job 9<&-; } </dev/null &
    fi
    if [ "$__train_before" = "${!-}" ]; then
        { __train_not_started "its process could not be started"; } 2>/dev/null
    else
        { __train_forked "$@"; } 2>/dev/null
    fi
}

__train_forked() { # POSITIONAL...: records a background step that was just started
    __train_started "$!"
    \command printf '%s %s\n' "$!" "$__train_began" >"$__train_file.pid"
    __train_tell p "$__train_step;$!;$__train_began"
    [ -z "${BASH_VERSION-}" ] || \command disown "$!"
    [ -z "$__train_secrets" ] || __train_forget "$@"
    __train_last=$__train_step __train_step=''
}

__train_started() { # PID: sets __train_began to the time when the process PID was started, in clock ticks since
    # boot, or to `-` if there is no /proc
    __train_began=-
    IFS= \command read -r __train_more <"/proc/$1/stat" || return 0
    __train_more=${__train_more##*) }
    __train_count=19
    while [ "$__train_count" -gt 0 ]; do
        __train_more=${__train_more#* }
        __train_count=$((__train_count - 1))
    done
    __train_began=${__train_more%% *}
} 2>/dev/null

__train_job() { # runs the background step in this subshell and records its status
    # The name of a file, because other sessions may have a step of the same name.
    \command export TRAINSH_STEP="$__train_file.pid"
    case $__train_limit in
    -)
        (
            eval "$__train_options"
            . "$__train_file"
        )
        ;;
    *) __train_limited "${__train_limit%:*}" "${__train_limit#*:}" ;;
    esac
    __train_status=$?
    # Try until it succeeds, because a full disk may get space again.
    until __train_record "$__train_file" "$__train_status" 2>/dev/null || [ ! -d "$__train_dir/steps" ]; do
        __train_call sleep 1
    done
    { __train_tell e "$__train_step;$__train_status"; } 2>/dev/null
}

__train_limited() { # SECONDS GRACE: runs the step with a timeout. The step and the timer have process groups of their
    # own. A step that has timed out is over when __train_overdue is over.
    set -m
    (
        eval "$__train_options"
        . "$__train_file"
    ) &
    __train_child=$!
    \command printf '%s\n' "$__train_child" >"$__train_file.group"
    (
        # A signal that ends the whole step must not end this `sleep` early, since that would look like a timeout.
        \command trap '' INT TERM
        __train_call sleep "$1"
        \command printf 'timeout\n' >"$__train_file.why"
        __train_overdue "$2"
    ) >/dev/null 2>&1 &
    __train_clock=$!
    # bash would report here that the step was killed, with the line above.
    { \command wait "$__train_child"; } 2>/dev/null
    set -- "$?"
    __train_more=
    { IFS= \command read -r __train_more <"$__train_file.why"; } 2>/dev/null
    case $__train_more in
    timeout)
        { \command wait "$__train_clock"; } 2>/dev/null
        # A step that has timed out is not ok, so the status is the one that timeout(1) has.
        [ "$1" -ne 0 ] || set -- 124
        ;;
    *) \command kill -s KILL -- "-$__train_clock" 2>/dev/null ;;
    esac
    return "$1"
}

__train_overdue() { # GRACE: ends the step whose group is $__train_child, and all that it started. The group gets INT at
    # once. All that is alive gets TERM half of GRACE later, and KILL at the end of GRACE. Ends when none of it is alive.
    # What is still alive 3 s after KILL is named in the pane.
    # This runs in a subshell, so the user's options and PATH may be changed.
    \set +f
    \unset IFS
    PATH=/usr/local/bin:/usr/bin:/bin:$PATH
    . "$__train_lib/hello.sh"
    . "$__train_lib/requests.sh"
    set -- "$((($1 + 1) / 2))"
    members=
    for __train_signal in INT TERM KILL; do
        [ "$__train_signal" != KILL ] || set -- 3
        processes
        descendants "$__train_child"
        marked "TRAINSH_STEP=$__train_file.pid"
        for member in $found $marks; do
            case "$members " in *" $member "*) ;; *) members="$members $member" ;; esac
        done
        # A trainer must not get INT twice, because the second one may interrupt its checkpoint.
        case $__train_signal in INT) end_group INT "$__train_child" ;; *) end_all "$__train_signal" ;; esac
        __train_count=$(($1 * 5))
        while [ "$__train_count" -gt 0 ]; do
            sleep 0.2 || { sleep 1 && __train_count=$((__train_count - 4)); }
            __train_count=$((__train_count - 1))
            end_left
            [ -n "$members" ] || \command kill -s 0 -- "-$__train_child" || return 0
        done
    done
    for member in $members; do
        \command printf 'train: still running after KILL: %s %s\r\n' "${member%:*}" "$(words_of "${member%:*}")" >/dev/tty
    done
}

__train_release() { # turns the pane into an ordinary shell. If an interrupt stops this function, the driver calls
    # it again.
    __train_drain
    __train_call stty susp '^Z' echo </dev/tty
    __train_call rm -f -- "$__train_dir/open"
    \command printf 'released\n' >"$__train_dir/state"
    __train_tell l
    __train_line='' __train_released=1
    [ -n "${BASH_VERSION-}" ] || exec sh -i </dev/tty
}

__train_leave() { # called when the driver's loop has ended. If a step's text called `break`, ends that step. If the
    # session is to be released, releases it.
    case $__train_step in
    ?*)
        __train_status=0
        __train_end "$@"
        ;;
    esac
    [ -z "${BASH_VERSION-}" ] || __train_call rm -f -- "$__train_dir/skipped"
    [ -z "${BASH_VERSION-}" ] || [ -z "$__train_released" ] || __train_let_go
}
