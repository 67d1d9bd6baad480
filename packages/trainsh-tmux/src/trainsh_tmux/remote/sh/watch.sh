# shellcheck shell=sh disable=SC1090,SC2015,SC2154,SC2034
# The watcher: checks all waits of one client on this host, every quarter of a second.
# A subshell of the connection's shell sources this script, so that the script has the functions of the requests.
# The folder $w has a file for each wait. That file sets the kind of the wait, __w_kind, and its arguments, __w_a
# (the session's folder) to __w_d. The file is sourced and not read, because `read` would make a system call for
# each byte. When a wait is over, the watcher replies `R FILE ANSWER` and removes the file. In the descriptions of
# the functions, FILE is such a file, and SESSION the folder of a session.
__w_dir=$w
__w_pause=0.25
__w_ss=$(command -v ss)
sleep 0.01 2>/dev/null || { __w_pause=1 && printf 'R 0 slow\n'; }

__w_listening() { # HEX-PORT PORT: succeeds if a program listens on that port, given in hex and in decimal. It runs
    # ss; without ss it reads /proc, and without /proc it tries to connect. ss is the best, because it gets only the
    # listening sockets from the kernel, while /proc/net/tcp lists all sockets (5 ms on a large machine).
    if [ -n "$__w_ss" ] && [ -z "$__w_ports" ]; then __w_ports=$(ss -ltn 2>/dev/null) || __w_ss='' __w_ports=''; fi
    if [ -n "$__w_ss" ]; then
        case $__w_ports in
        *:"$2 "*) ;;
        *) return 1 ;;
        esac
    elif [ -r /proc/net/tcp ]; then
        [ -n "$__w_ports" ] || __w_ports=" $(sed -n \
            's/^ *[0-9]*: [0-9A-F]*:\([0-9A-F]*\) [0-9A-F:]* 0A .*/\1/p' /proc/net/tcp /proc/net/tcp6 2>/dev/null) "
        case $__w_ports in
        *[!0-9A-F]"$1"[!0-9A-F]*) ;;
        *) return 1 ;;
        esac
    elif command -v nc >/dev/null 2>&1; then
        nc -z 127.0.0.1 "$2" >/dev/null 2>&1
    else
        bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$1"' sh "$2" >/dev/null 2>&1
    fi
}

__w_failed() { # SESSION: looks at the background steps of the session, except steps whose end a wait has already
    # reported. A file STEP.told marks a step whose failure was reported. If a step has failed, __w_answer is set to
    # "failed STEP STATUS WHY", and the step gets that file. A lost step gets no such file, so every wait reports it.
    # __w_missing is set to a step that has no status although it does not run. __w_quiet is set to `yes` if there
    # are background steps and all of them succeeded.
    __w_missing='' __w_quiet=
    for __w_pid in "$1"/steps/*.pid; do
        [ -e "$__w_pid" ] || continue
        __w_step=${__w_pid%.pid}
        [ ! -e "$__w_step.told" ] || continue
        if ! __w_ended "$__w_step"; then
            __w_quiet=no
            IFS=' ' read -r p s <"$__w_pid" && ! lives "$p" "$s" && ! __w_ending && __w_missing=$__w_step
            continue
        fi
        case $__w_status in
        0) __w_quiet=${__w_quiet:-yes} ;;
        lost) __w_answer="failed ${__w_step##*/} lost" && return ;;
        *)
            : >"$__w_step.told"
            __w_say_failed
            return
            ;;
        esac
    done
}

__w_say_failed() { # sets __w_answer to "failed STEP STATUS WHY"
    __w_why=
    [ ! -r "$__w_step.why" ] || IFS= read -r __w_why <"$__w_step.why"
    __w_answer="failed ${__w_step##*/} $__w_status${__w_why:+ }$__w_why"
}

__w_ending() { # succeeds if a request is ending the step $__w_step (see end_mine)
    IFS=' ' read -r p s <"$__w_step.ending" 2>/dev/null && lives "$p" "$s"
}

__w_background() { # FILE SESSION: sets __w_answer for the wait FILE if a background step of the session failed. If
    # all background steps succeeded, replies `quiet`, once for each wait.
    __w_failed "$2"
    if [ -n "$__w_missing" ] && [ -z "$__w_answer" ]; then
        case $__w_doubts in
        *" $1 "*" $1 "*" $1 "*" $1 "*) __w_answer="failed ${__w_missing##*/} lost" ;;
        *) __w_doubts="$__w_doubts $1 " ;; # look again in the next round, because the status may just be written
        esac
    fi
    if [ "$__w_quiet" = yes ] && __w_free "$2"; then
        case $__w_hushed in *" $1 "*) ;; *) __w_hushed="$__w_hushed $1 " && printf 'R %s quiet\n' "${1##*/}" ;; esac
    fi
}

__w_gone() { # SESSION: succeeds if the session's pane has ended or the machine was rebooted. In one round, a live
    # session is checked only once.
    case $__w_here in *" $1 "*) return 1 ;; esac
    IFS=' ' read -r p s n <"$1/pid" 2>/dev/null && [ "$n" = "$node" ] && lives "$p" "$s" || return 0
    __w_here="$__w_here $1 "
    return 1
}

__w_ended() { # STEP-FILE: sets __w_status to the status of that step; fails if the step has no status. If the disk
    # was full, the status is in the name of an empty file, and not in a file.
    [ -e "$1.status" ] || return 1
    IFS= read -r __w_status <"$1.status" && return 0
    for __w_file_name in "$1.status="*; do
        [ -e "$__w_file_name" ] && __w_status=${__w_file_name##*=} && return 0
    done
    return 1
}

__w_idle() { # SESSION all|own: succeeds if the session's shell has no living child. With `all`, the shells in the
    # session's other windows must not have one either.
    IFS=' ' read -r __w_shell s <"$1/shell" 2>/dev/null && lives "$__w_shell" "$s" || return 1
    ! has_child "$__w_shell" || return 1
    [ "$2" = all ] || return 0
    server=${1%/*} name=${1##*/}
    server=${server##*/}
    for __w_pane in $(tm list-panes -s -t "=$name" -F '#{pane_pid}' 2>/dev/null); do
        IFS=' ' read -r __w_first s n <"$1/pid"
        [ "$__w_pane" = "$__w_first" ] || ! has_child "$__w_pane" || return 1
    done
}

__w_free() { # SESSION: succeeds if no foreground step runs in the session's shell
    IFS=' ' read -r __w_step <"$1/current" 2>/dev/null || return 0
    [ -e "$1/steps/$__w_step.pid" ] || __w_ended "$1/steps/$__w_step"
}

__w_path() { # replaces the path $__w_b, which is written as in a step, by a path that is valid here. ~ becomes the
    # home folder. A relative path begins in the directory of the session's shell.
    # shellcheck disable=SC2088
    case $__w_b in
    /*) return ;;
    "~") __w_b=$HOME && return ;;
    "~/"*) __w_b=$HOME/${__w_b#"~/"} && return ;;
    esac
    IFS=' ' read -r __w_shell s <"$__w_a/shell" || return
    if [ -d "/proc/$__w_shell/cwd" ]; then
        __w_b=/proc/$__w_shell/cwd/$__w_b
    else
        __w_b=$(lsof -a -p "$__w_shell" -d cwd -Fn 2>/dev/null | sed -n 's/^n//p')/$__w_b
    fi
}

__w_replaced() { # FILE: FILE is a wait for a step. If the shell of the step's session cannot run steps any more,
    # ends the session. A shell cannot run steps if a step replaced the shell (`exec "$SHELL"`), or if a DEBUG trap
    # makes it skip every command. This is recorded as the reason why the step ended or, if the step had not begun,
    # why it did not start.
    IFS=' ' read -r __w_shell s <"$__w_a/shell" && lives "$__w_shell" "$s" || return 0
    if [ -e "$__w_a/skipped" ]; then
        __w_why="the shell of its session skips train's commands, as it does for a DEBUG trap under extdebug, or FUNCNEST"
    else
        foreground "$__w_shell"
        [ "$front" = "$__w_shell" ] && session_replaced "$__w_shell" || return 0
        __w_why="the step replaced the shell of its session by $(words_of "$__w_shell")"
    fi
    case $__w_doubts in *" $1 "*" $1 "*) ;; *) __w_doubts="$__w_doubts $1 " && return ;; esac
    if (set -C && : >"$__w_a/steps/$__w_b.claim") 2>/dev/null; then __w_why="not-started $__w_why"; else __w_why="ended $__w_why"; fi
    printf '%s\n' "$__w_why" >"$__w_a/steps/$__w_b.why"
    (set -C && printf 'none\n' >"$__w_a/steps/$__w_b.status") 2>/dev/null
    server=${__w_a%/*} name=${__w_a##*/}
    server=${server##*/}
    rm -f -- "$__w_a/pid" "$__w_a/open"
    printf 'ended: %s\n' "${__w_why#* }" >"$__w_a/state"
    tm kill-session -t "=$name" 2>/dev/null
}

__w_reading() { # FILE: replies `reading`, once for each wait, if a process in the foreground of the session waits
    # for input while the log does not grow
    case $__w_hushed in *" $1 "*) return ;; esac
    session_end
    if [ "$end" != "$(eval "printf %s \"\${__w_size_${1##*/}-}\"")" ]; then
        eval "__w_size_${1##*/}=\$end __w_still_${1##*/}=0"
        return
    fi
    eval "__w_still_${1##*/}=\$((__w_still_${1##*/} + 1)) still=\$__w_still_${1##*/}"
    [ "$((still % 4))" = 0 ] && [ "$still" -ge 8 ] || return 0
    [ -r /proc/self/wchan ] && IFS=' ' read -r __w_shell s <"$d/shell" || return 0
    foreground "$__w_shell"
    processes
    while read -r pid parent group start; do
        [ "$group" = "$front" ] || continue
        IFS= read -r x <"/proc/$pid/wchan"
        case $x in n_tty_read | wait_woken | tty_read) ;; *) continue ;; esac
        case $(readlink "/proc/$pid/fd/0") in /dev/pts/* | /dev/tty*) ;; *) continue ;; esac
        __w_hushed="$__w_hushed $1 "
        printf 'R %s reading\n' "${1##*/}"
        return
    done <<EOF
$table
EOF
} 2>/dev/null

__w_look() { # FILE: sets __w_answer if this wait is over. It uses no subshell, because every wait would then cost a
    # fork.
    __w_kind='' __w_a='' __w_b='' __w_c='' __w_d=''
    . "$1"
    case $__w_kind in
    file)
        __w_path
        [ ! -e "$__w_b" ] || __w_answer=yes
        ;;
    port) ! __w_listening "$__w_b" "$__w_c" || __w_answer=yes ;;
    alive) ;;
    idle)
        if __w_idle "$__w_a" "$__w_b"; then
            __w_failed "$__w_a"
            case "${__w_answer:+x}$__w_missing $__w_doubts" in
            " "* | x*) __w_answer=${__w_answer:-yes} ;;
            *" $1 "*" $1 "*" $1 "*" $1 "*) __w_answer="failed ${__w_missing##*/} lost" ;;
            *) __w_doubts="$__w_doubts $1 " ;; # look again in the next round, because the session may be ending
            esac
        fi
        ;;
    step)
        if __w_ended "$__w_a/steps/$__w_b"; then
            __w_why=
            [ ! -r "$__w_a/steps/$__w_b.why" ] || IFS= read -r __w_why <"$__w_a/steps/$__w_b.why"
            __w_answer="ended $__w_status $__w_why"
        elif [ ! -e "$__w_a/steps/$__w_b.claim" ] && [ ! -e "$__w_a/skipped" ] && IFS= read -r __w_state <"$__w_a/state"; then
            case $__w_state in
            released) __w_answer=released ;;
            open) ! __w_free "$__w_a" || case $__w_doubts in
                *" $1 "*" $1 "*) __w_answer=unread ;;
                *) __w_doubts="$__w_doubts $1 " ;; # look again in the next round, because the shell may be reading
                # the step's line now
                esac ;;
            esac
        else
            d=$__w_a
            __w_replaced "$1"
            __w_reading "$1"
        fi
        ;;
    esac
    [ -z "$__w_answer" ] && [ -n "$__w_a" ] || return 0
    case $__w_kind in step | idle) ;; *) __w_background "$1" "$__w_a" ;; esac
    if [ -z "$__w_answer" ] && __w_gone "$__w_a"; then
        __w_answer=gone
        __w_failed_with_it
    fi
}

__w_failed_with_it() { # called if a session is gone. If a background step of the session has failed or is lost,
    # sets the answer to the failure of that step.
    case $__w_kind in step) return ;; esac
    for __w_pid in "$__w_a"/steps/*.pid; do
        [ -e "$__w_pid" ] || continue
        __w_step=${__w_pid%.pid}
        [ ! -e "$__w_step.told" ] || continue
        if __w_ended "$__w_step"; then
            case $__w_status in 0) continue ;; esac
            __w_say_failed
        else
            __w_answer="failed ${__w_step##*/} lost"
        fi
        return
    done
}

__w_doubts='' __w_hushed=
while kill -0 "$$" 2>/dev/null; do
    table='' __w_ports='' __w_here=''
    for __w_file in "$__w_dir"/[0-9]*; do
        [ -e "$__w_file" ] || continue
        __w_answer=''
        __w_look "$__w_file"
        if [ -n "$__w_answer" ]; then
            rm -f -- "$__w_file"
            printf 'R %s %s\n' "${__w_file##*/}" "$__w_answer"
        fi
    done
    sleep "$__w_pause" || exit
done
rm -rf -- "$__w_dir"
