#!/bin/sh
# Runs rclone for a transfer. It continues when the connection that started it is lost. It keeps rclone's log,
# rclone's last statistics and rclone's exit status in the folder RUN (see transfer.sh). It is started as:
# sh -c TEXT trainsh-xfer RUN UMASK PROGRAM WORDS...
run=$1 mask=$2 program=$3
shift 3
trap '' HUP INT
echo $$ >"$run/keeper.new" && mv "$run/keeper.new" "$run/keeper"
# reserves space on the disk, so that the log can be written even if the disk becomes full
dd if=/dev/zero of="$run/reserve" bs=16384 count=1 2>/dev/null

keep() { # LINE
    printf '%s\n' "$1" >>"$run/log" && return
    rm -f "$run/reserve"
    printf '%s\n' "$1" >>"$run/log"
}

{
    (umask "$mask" && exec "$program" "--temp-dir=$run" "$@") 2>&1 &
    echo $! >"$run/rclone"
    wait $!
    : >"$run/ended-$?"
} | while IFS= read -r line; do
    case $line in
    *'"stats":{'*) printf '%s\n' "$line" >"$run/progress" ;;
    *) keep "$line" ;;
    esac
done 2>/dev/null
for ended in "$run"/ended-*; do
    [ -e "$ended" ] || exit 1
    mv "$ended" "$run/status-${ended##*-}"
done

# The client that started the run collects the result. If no client collects it within ten minutes, everything is
# removed.
mine() { [ "$(cat "$run/keeper" 2>/dev/null)" = $$ ]; }
: >"$run/mark"
idle=0
while mine && [ "$idle" -lt 300 ]; do
    sleep 2
    idle=$((idle + 1))
    if [ -n "$(find "${run%/*}/seen" -newer "$run/mark" 2>/dev/null)" ]; then
        : >"$run/mark"
        idle=0
    fi
done
mine || exit 0
rm -rf "$run"
for other in "${run%/*}"/run-*; do
    [ -e "$other" ] || rm -rf "${run%/*}"
done
