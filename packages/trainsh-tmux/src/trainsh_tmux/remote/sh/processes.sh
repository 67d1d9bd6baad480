# shellcheck shell=sh disable=SC2154,SC2086,SC2034
# Functions about the processes of this host: which are alive, which are descendants, which are in the foreground. A
# pid together with a start time identifies a process. The functions read /proc if there is one. Otherwise they run
# ps.

lives() { # PID [START]: succeeds if the process PID, started at START, is alive. A zombie does not count as alive.
    kill -0 "$1" || return 1
    if [ -r "/proc/$1/stat" ]; then
        IFS= read -r stat <"/proc/$1/stat" || return 1
        case $stat in *") Z "* | *") X "*) return 1 ;; esac
    fi
    case ${2:--} in -) return 0 ;; esac
    started "$1" && [ "$start" = "$2" ]
} 2>/dev/null

processes() { # sets $table to lines ` PID PARENT GROUP START `, one for each process that is no zombie
    if [ -r /proc/self/stat ]; then
        # sed is used, because `read` in a shell reads one byte at a time. sed takes fields 4, 5 and 22 (see
        # proc(5)). The program's name stands in parentheses before these fields. It may contain blanks, and bytes
        # that are not UTF-8, which `.` matches only in the C locale.
        table=$(cat /proc/[0-9]*/stat |
            LC_ALL=C sed -n 's/^\([0-9]*\) (.*) [^ZX] \([0-9]*\) \([0-9]*\) \([^ ]* \)\{16\}\([0-9]*\) .*$/ \1 \2 \3 \5 /p')
    else
        table=$(ps -A -o pid= -o ppid= -o pgid= -o stat= -o lstart= | while read -r pid parent group stat start; do
            case $stat in Z*) continue ;; esac
            printf ' %s %s %s %s \n' "$pid" "$parent" "$group" "$(printf %s "$start" | tr -s ' ' _)"
        done)
    fi
} 2>/dev/null

descendants() { # PID...: sets $found to ` PID:START ...`, all descendants of the processes PID..., according to
    # $table
    found='' seen=" $* "
    grown=1
    while [ "$grown" ]; do
        grown=
        while read -r pid parent group start; do
            case $seen in *" $pid "*) continue ;; esac
            case $seen in *" $parent "*) ;; *) continue ;; esac
            seen="$seen$pid " found="$found $pid:$start" grown=1
        done <<EOF
$table
EOF
    done
}

has_child() { # PID: succeeds if the process PID has a living child; uses $table if /proc does not list children
    if [ -r "/proc/$1/task/$1/children" ]; then
        IFS= read -r children <"/proc/$1/task/$1/children"
        for child in $children; do
            # Zombies do not count, because a shell may be slow to reap its children.
            lives "$child" && return 0
        done
        return 1
    fi
    [ -n "$table" ] || processes
    case $table in *" "[0-9]*" $1 "[0-9]*" "*) ;; *) return 1 ;; esac
    while read -r pid parent group start; do
        [ "$parent" != "$1" ] || return 0
    done <<EOF
$table
EOF
    return 1
} 2>/dev/null

foreground() { # PID: sets $front to the foreground process group of the terminal that the process PID has, or to
    # '' if there is no such process
    front=
    if [ -r "/proc/$1/stat" ]; then
        IFS= read -r stat <"/proc/$1/stat" || return
        set -- ${stat##*) }
        front=$6
    else
        front=$(ps -o tpgid= -p "$1" | tr -d ' ')
    fi
} 2>/dev/null

words_of() { # PID: prints the command line of the process PID, for people
    if [ -r "/proc/$1/cmdline" ]; then
        tr '\000\n' '  ' <"/proc/$1/cmdline" | cut -c 1-120
    else
        ps -o args= -p "$1" | cut -c 1-120
    fi
} 2>/dev/null

marked() { # TEXT: sets $marks to ` PID:START ...`, all processes of this user that have TEXT in their environment
    marks=
    [ -r /proc/self/environ ] || return 0
    for mark_of in $(grep -l -F -e "$1" /proc/[0-9]*/environ); do
        mark_of=${mark_of#/proc/}
        mark_of=${mark_of%/environ}
        if started "$mark_of"; then marks="$marks $mark_of:$start"; fi
    done
} 2>/dev/null
