#!/bin/sh
# shellcheck disable=SC2015
# Ends a step that must end: INT, then TERM, then KILL to what is in the pane's foreground, and to what comes
# there next, until the step has a status. usage: interrupt.sh FOLDER STEP WHY SECONDS; exit 1: it did not end; 2: it never began.
dir=$1 step=$2 why=$3 left=$(($4 * 5))
file=$dir/steps/$step
# A step that nobody has claimed never runs: we claim it.
if (set -C && : >"$file.claim") 2>/dev/null; then
    printf 'never\n' >"$file.why"
    printf '%s\n' 130 >"$file.status"
    exit 2
fi
[ ! -e "$file.status" ] || exit 0
printf '%s\n' "$why" >"$file.why"

group() { # NUMBER: it, when it can be a process group to signal: never everything, never our own
    case $1 in
    *[!0-9]* | 0* | 1) ;;
    *) printf '%s' "$1" ;;
    esac
}

foreground() { # the process group that has the terminal
    if [ -r "/proc/$1/stat" ]; then
        sed 's/.*) //' "/proc/$1/stat" | cut -d ' ' -f 6
    else
        ps -o tpgid= -p "$1" | tr -d ' '
    fi 2>/dev/null
}

runs() { # GROUP: whether it has a process that is no zombie: the session's shell collects its own late
    kill -s 0 -- "-$1" 2>/dev/null || return 1
    members=$(ps -A -o pgid= -o stat= 2>/dev/null) || return 0
    printf '%s\n' "$members" | while read -r number state; do
        case $number$state in "$1"[!Z]*) printf x ;; esac
    done | grep -q x
}

if [ -r "$file.pid" ]; then
    # What runs has a group of its own where the step has a time limit; it may only just be getting it.
    for which in group pid group; do
        [ -r "$file.$which" ] && read -r job <"$file.$which" || continue
        job=$(group "$job")
        [ -n "$job" ] || continue
        for try in 2:INT 15:TERM 9:KILL; do
            runs "$job" || break
            kill -s "${try#*:}" -- "-$job" 2>/dev/null
            signal=$try
            round=0
            while [ "$round" -lt 8 ] && runs "$job"; do
                sleep 0.2 2>/dev/null || { sleep 1; round=$((round + 4)); }
                round=$((round + 1))
            done
        done
    done
    # The job's own subshell records a status when it outlives the step.
    round=0
    while [ "$round" -lt 3 ] && [ ! -e "$file.status" ]; do
        sleep 0.1 2>/dev/null || sleep 1
        round=$((round + 1))
    done
    signal=${signal-9:KILL}
    [ -e "$file.status" ] || printf '%s\n' "$((128 + ${signal%:*}))" >"$file.status"
    exit 0
fi
read -r shell <"$dir/shell" || exit 1
round=0
last=
while [ "$left" -gt 0 ]; do
    [ ! -e "$file.status" ] || exit 0
    group=$(group "$(foreground "$shell")")
    [ "$group" = "$last" ] || round=0
    last=$group
    case $round in
    0) signal=INT ;;
    8) signal=TERM ;;
    16) signal=KILL ;;
    *) signal= ;;
    esac
    round=$((round + 1))
    if [ -n "$signal" ] && [ -n "$group" ]; then
        # The shell itself gets interrupts only: they make it drop the rest of the step.
        kill -s INT "$shell" 2>/dev/null
        [ "$group" = "$shell" ] || kill -s "$signal" -- "-$group" 2>/dev/null
    fi
    sleep 0.2 2>/dev/null || { sleep 1; left=$((left - 4)); }
    left=$((left - 1))
done
exit 1
