# shellcheck shell=sh disable=SC2154,SC2086
# Sends a session's log to the client as the log grows. It runs in a shell of its own until stdin ends. $r, $server
# and $name identify the session. It prints `at OFFSET KEY`, and then the log from OFFSET on. OFFSET is $offset if
# the log still has that place, else the start of the next segment (log file).
# `tail -f` with inotify or kqueue sees at once that a file grows. GNU tail polls on overlayfs (the root of every
# container) and NFS, by default only once a second. The tail of busybox polls everywhere. In these cases a loop is
# used instead of `tail -f`.
exec 2>/dev/null
d=$r/sessions/$server/$name
b=-1 m='' o=$offset key=
[ ! -r "$d/key" ] || IFS= read -r key <"$d/key"
for f in "$d"/log.*; do
    [ -e "$f" ] || continue
    n=${f##*/log.}
    if [ "$n" -gt "$o" ]; then
        [ -n "$m" ] && [ "$m" -lt "$n" ] || m=$n
    elif [ "$n" -gt "$b" ]; then b=$n; fi
done
# If the segment that had $offset was removed, begin at the oldest segment after it that is kept. A full segment
# ends with a sentinel that names the start of the next segment. The bytes of that sentinel do not count in offsets.
if [ -n "$m" ] && [ "$b" -ge 0 ]; then
    x=$(tail -c 60 "$d/log.$b" | LC_ALL=C sed -n 's/.*7770;[0-9a-f]*;n;\([0-9][0-9]*\).*/\1/p')
    [ "$o" -lt "${x:-$((b + $(wc -c <"$d/log.$b" || echo 0)))}" ] || b=-1
fi
if [ -n "$m" ] && [ "$b" -lt 0 ]; then b=$m o=$m; fi
[ "$b" -ge 0 ] || b=0
printf 'at %s %s\n' "$o" "$key"
low=
if command -v nice >/dev/null; then low='nice -n 10'; fi # see logger.sh
# Change to the session's folder, so that no command line contains its path.
cd -- "$d" || exit
k=$((o - b + 1))
help=$(tail --help 2>&1 </dev/null)
case $help in
*BusyBox*)
    { tail -c "+$k"; while sleep 0.1 || sleep 1; do cat; done; } <"log.$b" &
    ;;
*)
    s=
    case $help in *'-s, --sleep'* | *'-s SECONDS'* | *'[-s '*) s='-s 0.02' ;; esac
    $low tail $s -c "+$k" -f "log.$b" &
    ;;
esac
t=$!
# The rest is one compound command, so that the shell reads all of it before it runs. The shell reads this script
# from stdin, and the `read` below also reads stdin: it must not get a line of the script.
# If tail cannot open a segment because it was just removed, a sentinel `n` makes the client ask again.
if [ -n "$m" ]; then
    exec 3<&0
    { read -r x; kill "$t"; } <&3 &
    wait "$t" || [ "$?" -gt 2 ] || printf '\033]7770;%s;n;%s\007' "$key" "$o"
    kill "$!"
    exit
else
    read -r x
    kill "$t"
    exit
fi
