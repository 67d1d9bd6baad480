# shellcheck shell=sh disable=SC2154,SC2086
# A shell of its own pushes a session's log: given are $r, $server, $name and $offset. Says `at OFFSET KEY`, then the log
# from there on as it grows. OFFSET is what was asked for, or where the next segment that is kept begins. It ends when
# its input does. `tail -f` sees growth at once where it uses inotify or kqueue. GNU's does not trust inotify on overlayfs
# (every container's root) or NFS and polls there, once a second unless told otherwise; busybox's does so everywhere, so
# there a loop looks ten times a second.
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
# The place may be behind a segment whose next one is gone: on from the first that is kept. A full one ends with a
# sentinel that says where the next begins, and which has no place of its own.
if [ -n "$m" ] && [ "$b" -ge 0 ]; then
    x=$(tail -c 60 "$d/log.$b" | LC_ALL=C sed -n 's/.*7770;[0-9a-f]*;n;\([0-9][0-9]*\).*/\1/p')
    [ "$o" -lt "${x:-$((b + $(wc -c <"$d/log.$b" || echo 0)))}" ] || b=-1
fi
if [ -n "$m" ] && [ "$b" -lt 0 ]; then b=$m o=$m; fi
[ "$b" -ge 0 ] || b=0
printf 'at %s %s\n' "$o" "$key"
low=
if command -v nice >/dev/null; then low='nice -n 10'; fi # as logger.sh
# From here: no command line names our folder.
cd -- "$d" || exit
k=$((o - b + 1))
if [ -e /etc/alpine-release ] || [ -e /bin/busybox ] && case $(tail --help 2>&1) in *BusyBox*) ;; *) false ;; esac; then
    { tail -c "+$k"; while sleep 0.1 || sleep 1; do cat; done; } <"log.$b" &
else
    s=
    ! tail -s 1 /dev/null || s='-s 0.02'
    $low tail $s -c "+$k" -f "log.$b" &
fi
t=$!
# One command to the end: of a script that is read as it is run, `read` would take the rest for the client's word.
# A segment that others follow may go before it is opened: then the client is told to ask again.
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
