# shellcheck shell=sh disable=SC1090,SC2015,SC2154
# Looks at everything that is waited for on this host, for one client, every quarter of a second.
# Sourced into a subshell of the channel: $w is the folder of what is waited for, a file each that sets __w_kind and
# its arguments, __w_a to __w_d (__w_a: the session's folder): reading a line costs a system call a byte. A wait that is over is one reply line, `R FILE ANSWER`, and its file goes.
__w_dir=$w
__w_pause=0.25
__w_boot=
[ ! -r /proc/sys/kernel/random/boot_id ] || IFS= read -r __w_boot </proc/sys/kernel/random/boot_id
__w_ss=$(command -v ss)
sleep 0.01 2>/dev/null || { __w_pause=1; printf 'R 0 slow\n'; }

__w_children() { # PID: whether that process has a child, in what `ps` said this round
    # Without zombies: bash collects its children only when the read on its FIFO returns.
    [ -n "$__w_parents" ] || __w_parents=" $({ ps -A -o stat= -o ppid= 2>/dev/null || ps -o stat,ppid; } | grep -v '^Z') "
    case $__w_parents in
    *[!0-9]"$1"[!0-9]*) return 0 ;;
    *) return 1 ;;
    esac
}

__w_listening() { # HEX-PORT PORT: whether something listens on it, as the kernel says where it does, else by connecting
    # ss asks for the sockets that listen; each file of /proc walks a table of all (5 ms where memory is large).
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

__w_failed() { # SESSION: sets __w_answer to "failed STEP STATUS" when a background step failed and that is news,
    # and __w_missing to one that left no status: it was killed with all that belongs to it, or is about to be
    __w_missing=
    for __w_pid in "$1"/steps/*.pid; do
        [ -e "$__w_pid" ] || continue
        __w_step=${__w_pid%.pid}
        [ ! -e "$__w_step.told" ] || continue
        __w_ended "$__w_step" || { __w_missing=$__w_step && continue; }
        : >"$__w_step.told"
        [ "$__w_status" = 0 ] || {
            __w_answer="failed ${__w_step##*/} $__w_status"
            return
        }
    done
}

__w_gone() { # SESSION: whether its pane has ended, or this machine was started anew since; asked once a round
    case $__w_here in *" $1 "*) return 1 ;; esac
    IFS=' ' read -r __w_pane __w_since <"$1/pid" 2>/dev/null && [ "$__w_since" = "$__w_boot" ] &&
        __w_lives "$__w_pane" || return 0
    __w_here="$__w_here $1 "
    return 1
}

__w_lives() { # PID: whether that process lives; a zombie, which nobody may ever collect in a container, does not
    kill -0 "$1" 2>/dev/null || return 1
    [ ! -r "/proc/$1/stat" ] || ! IFS= read -r __w_stat <"/proc/$1/stat" || case $__w_stat in
    *") Z "* | *") X "*) return 1 ;;
    esac
}

__w_ended() { # STEP-FILE: sets __w_status when that step has one; on a full disk a file's name tells
    [ -e "$1.status" ] || return 1
    IFS= read -r __w_status <"$1.status" && return 0
    for __w_name in "$1.status="*; do
        [ -e "$__w_name" ] && __w_status=${__w_name##*=} && return 0
    done
    return 1
}

__w_idle() { # SESSION all|own TMUX-SOCKET-NAME NAME
    IFS= read -r __w_shell <"$1/shell" 2>/dev/null && __w_lives "$__w_shell" || return 1
    ! __w_children "$__w_shell" || return 1
    [ "$2" = all ] || return 0
    for __w_pane in $(tmux -L "$3" list-panes -s -t "=$4" -F '#{pane_pid}' 2>/dev/null); do
        IFS=' ' read -r __w_first __w_since <"$1/pid"
        [ "$__w_pane" = "$__w_first" ] || ! __w_children "$__w_pane" || return 1
    done
}

__w_free() { # SESSION: whether its shell has no step in hand
    IFS=' ' read -r __w_step <"$1/current" 2>/dev/null || return 0
    [ -e "$1/steps/$__w_step.pid" ] || __w_ended "$1/steps/$__w_step"
}

__w_path() { # makes $__w_b a path from here: a leading ~ is the home, a relative one begins where the session is
    # shellcheck disable=SC2088
    case $__w_b in
    /*) return ;;
    "~") __w_b=$HOME && return ;;
    "~/"*) __w_b=$HOME/${__w_b#"~/"} && return ;;
    esac
    IFS= read -r __w_shell <"$__w_a/shell" || return
    if [ -d "/proc/$__w_shell/cwd" ]; then
        __w_b=/proc/$__w_shell/cwd/$__w_b
    else
        __w_b=$(lsof -a -p "$__w_shell" -d cwd -Fn 2>/dev/null | sed -n 's/^n//p')/$__w_b
    fi
}

__w_look() { # FILE: sets __w_answer when this wait is over; no subshell, which would be a fork for each wait
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
        if __w_idle "$__w_a" "$__w_b" "$__w_c" "$__w_d"; then
            __w_failed "$__w_a"
            case "${__w_answer:+x}$__w_missing $__w_doubts" in
            " "* | x*) __w_answer=${__w_answer:-yes} ;;
            *" $1 "*" $1 "*" $1 "*" $1 "*)
                : >"$__w_missing.told"
                __w_answer="failed ${__w_missing##*/} lost"
                ;;
            *) __w_doubts="$__w_doubts $1 " ;; # its session may be ending
            esac
        fi
        ;;
    step)
        if __w_ended "$__w_a/steps/$__w_b"; then
            __w_why=
            [ ! -r "$__w_a/steps/$__w_b.why" ] || IFS= read -r __w_why <"$__w_a/steps/$__w_b.why"
            __w_answer="ended $__w_status $__w_why"
        elif [ ! -e "$__w_a/steps/$__w_b.claim" ] && IFS= read -r __w_state <"$__w_a/state"; then
            case $__w_state in
            released) __w_answer=released ;;
            open) ! __w_free "$__w_a" || case $__w_doubts in
                *" $1 "*" $1 "*) __w_answer=unread ;;
                *) __w_doubts="$__w_doubts $1 " ;; # it may be taken right now
                esac ;;
            esac
        fi
        ;;
    esac
    if [ -z "$__w_answer" ] && [ -n "$__w_a" ] && __w_gone "$__w_a"; then __w_answer=gone; fi
}

__w_doubts=
while [ -d "$__w_dir" ] && kill -0 "$$" 2>/dev/null; do
    __w_parents='' __w_ports='' __w_here=''
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
