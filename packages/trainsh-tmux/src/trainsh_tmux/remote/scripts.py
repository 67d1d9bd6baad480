"""What is run on a host, as text: pure functions from parameters to the body of a channel request.

In every body `$r` is the root of train's files on that host. Paths that are removed are never literal arguments.
"""

from trainsh_base.remote.channel import quote
from trainsh_tmux.names import folder
from trainsh_tmux.remote import library

ROOT = """r=${XDG_STATE_HOME:-${HOME:-/nonexistent}/.local/state}/tmux-trainsh
[ -w "$r/sessions" ] || { [ -d "${XDG_STATE_HOME:-${HOME:-/nonexistent}}" ] && mkdir -p "$r/sessions" "$r/lib"; } || {
    r=/tmp/train-$(id -u)-state
    mkdir -p -m 700 "$r" "$r/sessions" "$r/lib"
}
if [ -w "$r/sessions" ] && [ -O "$r" ] && [ ! -L "$r" ]; then say root "$r"; else say nowhere "$r"; fi"""

# Sets $alive when the session's pane lives, and $state; nothing is forked.
STATE = """state=none alive=
if [ -r "$d/state" ]; then IFS= read -r state <"$d/state"; fi
if [ -r "$d/pid" ] && IFS=' ' read -r p q <"$d/pid" && kill -0 "$p"; then alive=1; fi"""

# Takes $alive back where the pane was of the time before this machine was started anew (its number may be in use
# again), and where it is a zombie: in a container whose first process collects none, `kill -0` finds it for ever.
REALLY = """if [ "$alive" ] && [ -r "/proc/$p/stat" ]; then
if IFS= read -r x </proc/sys/kernel/random/boot_id && [ "$x" != "$q" ]; then alive=; fi
if IFS= read -r x <"/proc/$p/stat"; then case $x in *") Z "* | *") X "*) alive= ;; esac; fi; fi"""

# Ends what runs behind the shell of a session that is to go.
HANG_UP = """for f in "$d"/steps/*.pid "$d"/steps/*.group; do
[ -e "$f" ] && [ ! -e "${f%.*}.status" ] && read -r x <"$f" && [ "$x" -gt 1 ] && kill -s HUP -- "-$x"; done"""

# Sets $end to the offset of the log's end.
END = """end=0 b=0
for f in "$d"/log.*; do
    [ -e "$f" ] || continue
    n=${f##*/log.}
    [ "$n" -lt "$b" ] || { b=$n; end=$((n + $(wc -c <"$f"))); }
done"""


def at(job: str, name: str) -> str:
    """Sets `$d`, the session's folder."""
    return f"d={folder(job, name)}"


def watch(job: str | None, name: str, number: int, kind: str, arguments: list[str], queue: str) -> str:
    """Put one wait into the watcher's folder `queue`, and start the watcher when there is none."""
    names = ("__w_b", "__w_c", "__w_d")
    words = [f"__w_kind={kind}", f"__w_a={folder(job, name)}" if job is not None else "__w_a="]
    words += [f"{key}={quote(argument)}" for key, argument in zip(names, arguments, strict=False)]
    return f"""l={library.folder()}; w="$r"/waits/{queue}
mkdir -p "$w"; printf '%s\\n' {quote(" ".join(words))} >"$w/new.{number}" && mv "$w/new.{number}" "$w/{number}"
if [ -z "${{watching-}}" ]; then watching=1; trap 'rm -rf -- "$w"' EXIT; trap 'rm -rf -- "$w"; exit' HUP TERM; (trap - EXIT HUP TERM; . "$l/watch.sh") & fi"""


def unwatch(number: int, queue: str) -> str:
    """Take one wait out again."""
    return f'w="$r"/waits/{queue}; rm -f -- "$w/{number}"'


def log_end(job: str, name: str) -> str:
    """Says `end OFFSET STATE`, or `none` where there is no such session."""
    return f"""{at(job, name)}
{STATE}
{REALLY}
{END}
if [ -d "$d" ]; then say end "$end" "${{alive:-0}}" "$state"; else say none; fi"""


def follow(job: str, name: str, offset: int) -> str:
    """Read commands for a shell of its own: says `at OFFSET` then pushes the log from there on as it grows.

    OFFSET is `offset`, or where the next segment that is kept begins. `tail -f` sees growth at once where it uses
    inotify or kqueue. GNU's does not trust inotify on overlayfs (every container's root) or NFS and polls there, once
    a second unless told otherwise; busybox's does so everywhere, so there a loop looks ten times a second. It ends
    when its input does.
    """
    return f"""{at(job, name)}
b=-1 m= o={offset}
for f in "$d"/log.*; do
    [ -e "$f" ] || continue
    n=${{f##*/log.}}
    if [ "$n" -gt "$o" ]; then
        [ -n "$m" ] && [ "$m" -lt "$n" ] || m=$n
    elif [ "$n" -gt "$b" ]; then b=$n; fi
done
# The place may be behind a segment whose next one is gone: on from the first that is kept. A full one ends with a
# mark that says where the next begins, and which has no place of its own.
if [ -n "$m" ] && [ "$b" -ge 0 ]; then
    x=$(tail -c 40 "$d/log.$b" | LC_ALL=C sed -n 's/.*7770;n;\\([0-9][0-9]*\\).*/\\1/p')
    [ "$o" -lt "${{x:-$((b + $(wc -c <"$d/log.$b" || echo 0)))}}" ] || b=-1
fi
if [ -n "$m" ] && [ "$b" -lt 0 ]; then b=$m o=$m; fi
[ "$b" -ge 0 ] || b=0
printf 'at %s\\n' "$o"
low=; command -v nice >/dev/null && low='nice -n 10' # as logger.sh
f=$d/log.$b; k=$((o - b + 1))
if [ -e /etc/alpine-release ] || [ -e /bin/busybox ] && case $(tail --help 2>&1) in *BusyBox*) ;; *) false ;; esac; then
    {{ tail -c "+$k"; while sleep 0.1 || sleep 1; do cat; done; }} <"$f" &
else
    s=; ! tail -s 1 /dev/null 2>/dev/null || s='-s 0.02'
    $low tail $s -c "+$k" -f "$f" &
fi
t=$!
# One command to the end: of a script that is read as it is run, `read` would take the rest for the client's word.
# A segment that others follow may go before it is opened: then the client is told to ask anew.
if [ -n "$m" ]; then
    exec 3<&0
    {{ read -r x; kill "$t"; }} <&3 &
    wait "$t" || [ "$?" -gt 2 ] || printf '\\033]7770;n;%s\\007' "$o"
    kill "$!"
    exit
else
    read -r x; kill "$t"
    exit
fi
"""


def listing() -> str:
    """Says `session SERVER NAME STATE ALIVE ATTACHED AGE SECONDS STEP`, and `command TEXT` where a step runs.

    For each session's folder on the host; AGE is the session's, SECONDS the running step's.
    """
    return f"""now=$(date +%s)
for d in "$r"/sessions/*/*; do
    [ -d "$d/steps" ] || continue
    step=- a=no age=0 x=0
    {STATE}
    {REALLY}
    [ ! -e "$d/attached" ] || a=yes
    if [ -e "$d/began" ]; then x=$(stat -c %Y "$d/began" 2>/dev/null || stat -f %m "$d/began") && age=$((now - x)); fi
    if [ "$alive" ]; then
        if [ -r "$d/current" ] && IFS=' ' read -r x <"$d/current" && [ ! -e "$d/steps/$x.status" ]; then step=$x; fi
        for x in "$d"/steps/*.pid; do [ ! -e "$x" ] || [ -e "${{x%.pid}}.status" ] || {{ x=${{x##*/}}; step=${{x%.pid}}; }}; done
    fi
    x=$now
    [ "$step" = - ] || x=$(stat -c %Y "$d/steps/$step.claim" 2>/dev/null || stat -f %m "$d/steps/$step.claim")
    j=${{d%/*}}
    say session "${{j##*/}}" "${{d##*/}}" "${{state%% *}}" "${{alive:-0}}" "$a" "$age" "$((now - ${{x:-$now}}))" "$step"
    if [ "$step" != - ]; then IFS= read -r x <"$d/steps/$step"; say command "$x"; fi
done"""
