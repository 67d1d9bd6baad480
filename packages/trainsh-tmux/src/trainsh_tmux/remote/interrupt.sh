#!/bin/sh
# Ends a step that must end: INT, then TERM, then KILL to what is in the pane's foreground, and to what comes
# there next, until the step has a status. usage: interrupt.sh FOLDER STEP WHY SECONDS; exit 1: it did not end.
dir=$1 step=$2 why=$3 left=$(($4 * 5))
file=$dir/steps/$step
# A step that nobody has claimed never runs: we claim it.
if (set -C && : >"$file.claim") 2>/dev/null; then
    printf 'never\n' >"$file.why"
    printf '%s\n' 130 >"$file.status"
    exit 0
fi
[ ! -e "$file.status" ] || exit 0
printf '%s\n' "$why" >"$file.why"

foreground() { # the process group that has the terminal
    ps -o tpgid= -p "$1" 2>/dev/null | tr -d ' ' && return
    sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 6
}

if [ -r "$file.pid" ]; then
    read -r job <"$file.pid"
    group=
    [ ! -r "$file.group" ] || read -r group <"$file.group"
    for signal in INT TERM KILL; do
        # What runs has a group of its own where the step has a time limit.
        [ -z "$group" ] || kill -s "$signal" -- "-$group" 2>/dev/null || group=
        [ -n "$group" ] || kill -s "$signal" -- "-$job" 2>/dev/null || break
        sleep 0.5 2>/dev/null || sleep 1
        [ ! -e "$file.status" ] || break
        [ "$signal" = KILL ] || sleep 1
        [ ! -e "$file.status" ] || break
    done
    [ -e "$file.status" ] || printf '137\n' >"$file.status"
    exit 0
fi
read -r shell <"$dir/shell" || exit 1
round=0
last=
while [ "$left" -gt 0 ]; do
    [ ! -e "$file.status" ] || exit 0
    group=$(foreground "$shell")
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
