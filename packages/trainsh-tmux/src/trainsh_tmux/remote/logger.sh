#!/bin/sh
# Writes a pane's output, as it comes, to log.START segments, START being the offset of their first byte.
# usage: logger.sh FOLDER LIMIT: at most about LIMIT bytes are kept: the first half, and the newest
# dd, since head, sed and awk hold output back; it is started anew every 256 reads, which costs nothing.
dir=$1 limit=$2
start=0
for segment in "$dir"/log.*; do # a session opened again goes on behind what is there
    [ -e "$segment" ] || continue
    number=${segment##*/log.}
    [ "$number" -lt "$start" ] || { start=$number; size=$(wc -c <"$segment"); }
done
segment=$dir/log.$start
: >>"$segment"
size=${size-0}
while :; do
    # A full disk: what comes meanwhile is lost, the session is not.
    dd bs=65536 count=256 2>/dev/null >>"$segment" || { sleep 1; continue; }
    now=$(wc -c <"$segment")
    [ "$now" -ne "$size" ] || exit 0
    size=$now
    if [ "$start" -eq 0 ]; then room=$((limit / 2)); else room=$((limit / 8)); fi
    [ "$size" -ge "$room" ] || continue
    start=$((start + size))
    : >"$dir/log.$start"
    printf '\033]7770;n;%s\007' "$start" >>"$segment"
    segment=$dir/log.$start
    size=0
    kept=0
    # the newest four of the segments stay, and the first
    for old in $(ls "$dir" | sed -n 's/^log\.\([1-9]\)/\1/p' | sort -nr); do
        kept=$((kept + 1))
        [ "$kept" -le 4 ] || rm -f -- "$dir/log.$old"
    done
done
