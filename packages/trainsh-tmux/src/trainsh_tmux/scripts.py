"""What is run on a host, as text: pure functions from parameters to the body of a channel request.

In every body `$r` is the root of train's files on that host. Paths that are removed are never literal arguments.
"""

from trainsh_base.channel import quote
from trainsh_tmux import library
from trainsh_tmux.marks import mark
from trainsh_tmux.names import folder, server

# Secrets by these names do not get into the environment that a tmux server, and so every session, inherits.
SECRET_NAMES = (
    "VAST_API_KEY", "HF_TOKEN", "R2_ACCESS_KEY", "R2_SECRET_KEY", "B2_KEY_ID", "B2_APPLICATION_KEY",
    "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "OPENAI_API_KEY", "ANTHROPIC_API_KEY",
    "GOOGLE_DRIVE_CREDENTIALS", "TRAINSH_PASSPHRASE",
)  # fmt: skip

# A command this short is shown from the line in the FIFO, which is one write whole (PIPE_BUF is 512 at least).
ECHO_IN_LINE = 300

ROOT = """r=${XDG_STATE_HOME:-${HOME:-/nonexistent}/.local/state}/tmux-trainsh
[ -w "$r/sessions" ] || { [ -d "${XDG_STATE_HOME:-${HOME:-/nonexistent}}" ] && mkdir -p "$r/sessions" "$r/lib"; } || {
    r=/tmp/train-$(id -u)-state
    mkdir -p -m 700 "$r" "$r/sessions" "$r/lib"
}
if [ -w "$r/sessions" ] && [ -O "$r" ] && [ ! -L "$r" ]; then say root "$r"; else say nowhere "$r"; fi"""

# Sets $alive when the session's pane lives, and $state; nothing is forked.
_STATE = """state=none alive=
if [ -r "$d/state" ]; then IFS= read -r state <"$d/state"; fi
if [ -r "$d/pid" ] && IFS=' ' read -r p q <"$d/pid" && kill -0 "$p"; then alive=1; fi"""

# Takes $alive back where the pane was of the time before this machine was started anew (its number may be in use
# again), and where it is a zombie: in a container whose first process collects none, `kill -0` finds it for ever.
_REALLY = """if [ "$alive" ] && [ -r "/proc/$p/stat" ]; then
if IFS= read -r x </proc/sys/kernel/random/boot_id && [ "$x" != "$q" ]; then alive=; fi
if IFS= read -r x <"/proc/$p/stat"; then case $x in *") Z "* | *") X "*) alive= ;; esac; fi; fi"""

# Ends what runs behind the shell of a session that is to go.
_HANG_UP = """for f in "$d"/steps/*.pid "$d"/steps/*.group; do
[ -e "$f" ] && [ ! -e "${f%.*}.status" ] && read -r x <"$f" && [ "$x" -gt 1 ] && kill -s HUP -- "-$x"; done"""

# Sets $end to the offset of the log's end.
_END = """end=0 b=0
for f in "$d"/log.*; do
    [ -e "$f" ] || continue
    n=${f##*/log.}
    [ "$n" -lt "$b" ] || { b=$n; end=$((n + $(wc -c <"$f"))); }
done"""

# For each dead session's folder `$d` in which nothing is younger than `$days` days.
_OLD = f"""for d in "$r"/sessions/*/*; do
[ -d "$d/steps" ] || continue
{_STATE}
{_REALLY}
[ -z "$alive" ] || {{ living=1; continue; }}"""

# What nobody comes back for goes by itself: sessions that were closed a week ago, others a month after their end.
_FORGET = f"""{_OLD}
days=30
[ "$state" != closed ] || days=7
[ -n "$(find "$d" -mtime "-$days" | head -n 1)" ] || rm -rf -- "$d"; done"""

INSTALLERS = (
    'for m in "apt-get install -y" "apk add" "dnf install -y" "yum install -y" "pacman -S --noconfirm" "brew install"; do\n'
    'if command -v "${m%% *}" >/dev/null; then say install "$m"; break; fi; done'
)


def at(job: str, name: str) -> str:
    """Sets `$d`, the session's folder."""
    return f"d={folder(job, name)}"


def open_session(job: str, name: str, start: str, *, plain: bool, log_limit: int) -> str:
    """Says `lib`, `no-tmux`, `open OFFSET FOLDER STATE`, `fresh OFFSET FOLDER` or `failed WORDS`."""
    lib, here = library.folder(), server(job)
    unset = " ".join(f"-u {word}" for word in ("TMUX", "TMUX_PANE", *SECRET_NAMES))
    pane = f"\"exec sh '$l/pane.sh' '$d' '$l' \"{quote(quote(start))}\" {'plain' if plain else ''}\""
    return f"""{at(job, name)}; l={lib}
{_STATE}
{_REALLY}
if [ ! -e "$l/pane.sh" ]; then say lib
elif ! command -v tmux >/dev/null; then say no-tmux; {INSTALLERS}
elif [ -n "$alive" ] && tmux -L {here} has-session -t '={name}'; then
{_END}
say open "$end" "$state" "$d"
else
mkdir -p "$d/steps"; rm -f -- "$d/fifo" "$d/current" "$d/attached" "$d/typed" "$d/pid" "$d/shell" "$d/state" "$d/pane" "$d/open"
if mkfifo "$d/fifo"; then
{_END}
e=$(env {unset} tmux -L {here} -f "$l/tmux.conf" new-session -d -s {name} -x 200 -y 50 {pane} \\; \\
    pipe-pane -t '={name}:' "exec sh '$l/logger.sh' '$d' {log_limit}" {_hooks()} 2>&1) ||
    # A tmux that knows no such hooks: every step looks for what was typed.
    {{ tmux -L {here} has-session -t '={name}' && e= && : >"$d/typed" && : >"$d/attached"; }}
if [ -z "$e" ]; then
[ "$end" -gt 0 ] || : >>"$d/log.0"
say fresh "$end" "$d"
({_FORGET}) >/dev/null 2>&1 &
else say failed "$e"; fi
else say full; fi
fi"""


def log_limit() -> int:
    """How many bytes of a session's output its host keeps (`tmux.log_limit`)."""
    from trainsh_base.config import config_value  # noqa: PLC0415 - only a new session needs it

    return int(config_value("tmux.log_limit"))


def _hooks() -> str:
    """tmux commands that have typed.sh called; sent keys are noted before the one who sends them goes on."""
    call = "run-shell {} \\\"sh '$l/typed.sh' '${{d%/*}}' {}\\\""
    events = [f"client-{word}" for word in ("attached", "detached", "session-changed")]
    hooks = [(event, call.format("-b", "").replace("{{", "{").replace("}}", "}")) for event in events]
    keys = [(f"after-{word}", call.format("", "keys")) for word in ("send-keys", "paste-buffer")]
    return " ".join(f'\\; set-hook -g {event} "{command}"' for event, command in [*hooks, *keys])


def start_step(
    job: str, name: str, step: str, command: str, *, mode: str = "run", echo: str = "", limit: float | None = None,
    secrets: dict[str, str] | None = None, only_ask: bool = False,
) -> str:  # fmt: skip
    """Says `again [STATUS [WHY]]` (or `again lost [WHY]`) when it was started before, `never` (with `only_ask`), `full`, or why not:
    `released`, `starting`, `gone STATE`. Says nothing when it is sent: the log shows that it begins."""
    text = shown(echo)
    line = f"run {step} {mode} {'-' if limit is None else f'{limit:g}'} "
    write = [f"printf '%s\\n' {quote(command)} >\"$s\""]
    if text and b"\n" not in text and len(text) <= ECHO_IN_LINE:
        line += text.decode()
    else:
        head = mark("b", step) + b"\x1b[1m$ " + text + b"\x1b[0m\r\n" + mark("o", step)
        write.insert(0, f'printf %s {quote(head.decode())} >"$s.head"')
    known = f"""s=$d/steps/{step}
if [ -e "$s.claim" ]; then
    x= y=
    if [ -e "$s.status" ]; then
        IFS= read -r x <"$s.status" || for x in "$s.status="*; do x=${{x##*=}}; done
        [ ! -r "$s.why" ] || IFS= read -r y <"$s.why"
        say again "$x" "$y"
    else
        {_STATE}
        {_REALLY}
        [ ! -r "$s.why" ] || IFS= read -r y <"$s.why"
        if [ "$alive" ]; then say again; else say again lost "$y"; fi
    fi"""
    if only_ask:
        return f"{at(job, name)}\n{known}\nelse say never; fi"
    if secrets:
        write.append(f"printf '%s' {quote(secret_lines(secrets))} >\"$s.env\"")
    return f"""{at(job, name)}
{known}
else
if [ -e "$d/open" ]; then
if {" && ".join(write)}; then printf '%s\\n' {quote(line)} 1<>"$d/fifo"
else rm -f -- "$s" "$s.head" "$s.env"; say full; fi
else
{_STATE}
{_REALLY}
case $alive$state in
1released*) say released ;;
1*) say starting ;;
*) say gone "$state" ;;
esac
fi
fi"""


def shown(echo: str) -> bytes:
    """A command as the pane shows it: the first lines, without control characters."""
    lines = echo.rstrip("\n").split("\n")
    kept = lines[:12] + ([f"... ({len(lines) - 12} more lines)"] if len(lines) > 12 else [])
    text = "\r\n".join("".join(c if c.isprintable() or c == "\t" else "?" for c in line[:400]) for line in kept)
    return text.encode("utf-8", "replace")


def secret_lines(secrets: dict[str, str]) -> str:
    """`NAME COUNT`, then that many lines of value, for each."""
    return "".join(f"{name} {value.count(chr(10)) + 1}\n{value}\n" for name, value in secrets.items())


def read_captured(job: str, name: str, step: str) -> str:
    """Says the captured output in lines of octal bytes, which survive any content."""
    return f"""{at(job, name)}
od -An -v -to1 <"$d/steps/{step}.out" | while IFS= read -r x; do say $x; done"""


def interrupt(job: str, name: str, step: str, number: int, why: str, seconds: int) -> str:
    """Replies to `number`, later: `ended`, `never` when it had not begun, `stuck` when its pane had to be closed."""
    lib = library.folder()
    return f"""{at(job, name)}; l={lib}
(
    sh "$l/interrupt.sh" "$d" {step} {quote(why)} {seconds}
    case $? in
    0) x=ended ;;
    2) x=never ;;
    *)
        rm -f -- "$d/pid" "$d/open"
        {_HANG_UP}
        tmux -L {server(job)} kill-session -t '={name}'
        printf 'ended by train\\n' >"$d/state"
        x=stuck
        ;;
    esac
    printf 'R {number} %s\\n' "$x"
) &"""


def mask_log(job: str, name: str, places: list[tuple[int, int]]) -> str:
    """Overwrite (OFFSET, LENGTH) places of the log with asterisks, where they are still kept."""
    lines = [at(job, name)]
    for offset, length in places:
        lines.append(
            f"""b=-1; for f in "$d"/log.*; do n=${{f##*/log.}}; [ "$n" -gt {offset} ] || [ "$n" -le "$b" ] || b=$n; done
[ "$b" -lt 0 ] || printf '{"*" * length}' | dd of="$d/log.$b" bs=1 seek="$(({offset} - b))" conv=notrunc"""
        )
    return "\n".join(lines)


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
{_STATE}
{_REALLY}
{_END}
if [ -d "$d" ]; then say end "$end" "${{alive:-0}}" "$state"; else say none; fi"""


def follow(job: str, name: str, offset: int) -> str:
    """Read commands for a shell of its own: says `at SEGMENT-START` then pushes the log from `offset` on as it grows.

    `tail -f` sees growth at once where it uses inotify or kqueue; busybox's looks once a second, so there a loop
    looks ten times. It ends when its input does.
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
# The place may have been in a segment that is gone: on from the next one that is kept.
if [ -n "$m" ] && {{ [ "$b" -lt 0 ] || [ "$o" -ge "$((b + $(wc -c <"$d/log.$b")))" ]; }}; then b=$m o=$m; fi
[ "$b" -ge 0 ] || b=0
printf 'at %s\\n' "$o"
f=$d/log.$b; k=$((o - b + 1))
if [ -e /etc/alpine-release ] || [ -e /bin/busybox ] && tail --help 2>&1 | grep -q BusyBox; then
    (
        while sleep 0.1 || sleep 1; do
            n=$(wc -c <"$f")
            [ "$n" -lt "$k" ] || {{ tail -c "+$k" "$f" | head -c "$((n - k + 1))"; k=$((n + 1)); }}
        done
    ) &
else
    tail -c "+$k" -f "$f" &
fi
read -r x; kill "$!"
exit
"""


def close_session(job: str, name: str) -> str:
    """Says `closed`, or `none` when it was not open."""
    return f"""{at(job, name)}
{_STATE}
{_REALLY}
rm -f -- "$d/pid" "$d/open" "$d"/steps/*.env # without it the pane writes no more into this folder
[ -z "$alive" ] || {{ {_HANG_UP}; }}
tmux -L {server(job)} kill-session -t '={name}' && alive=1
if [ -n "$alive" ]; then printf 'closed\\n' >"$d/state"; say closed; else say none; fi"""


def release(job: str, name: str) -> str:
    """Says `released` (it was already), `asked` (it is about to be, once its step is over) or `none`."""
    return f"""{at(job, name)}
{_STATE}
{_REALLY}
case $alive$state in
1open) printf 'release\\n' 1<>"$d/fifo"; say asked ;;
1released*) say released ;;
*) say none ;;
esac"""


def take_back(job: str, name: str) -> str:
    """Type the driver into a released pane: says `typed` when its shell is in the foreground there, else `busy`."""
    to = f"tmux -L {server(job)}"
    return f"""{at(job, name)}
IFS= read -r p <"$d/shell"; IFS= read -r t <"$d/pane"
g=$(ps -o tpgid= -p "$p" 2>/dev/null | tr -d ' '; [ -e "/proc/$p/stat" ] && sed 's/.*) //' "/proc/$p/stat" | cut -d ' ' -f 6)
g=${{g%%
*}}
if [ "$g" = "$p" ]; then
    {to} send-keys -t "$t" -X cancel
    {to} send-keys -t "$t" C-c
    {to} send-keys -t "$t" -l ' \\. "$__train_lib/driver.sh"'
    {to} send-keys -t "$t" Enter
    say typed
else say busy; fi"""


def new_window(job: str, name: str, *, log_limit: int) -> str:
    """Give a released session another window, with a new shell in the directory of the old; says as open_session."""
    here = server(job)
    return f"""{at(job, name)}; l={library.folder()}
IFS= read -r p <"$d/shell"; IFS= read -r t <"$d/pane"
c=$(readlink "/proc/$p/cwd" || tmux -L {here} display-message -p -t "$t" '#{{pane_current_path}}')
tmux -L {here} pipe-pane -t "$t"
rm -f -- "$d/fifo" "$d/current" "$d/pid" "$d/shell" "$d/state" "$d/open"
{_END}
if mkfifo "$d/fifo"; then
if e=$(tmux -L {here} new-window -t '={name}:' -c "$c" "exec sh '$l/pane.sh' '$d' '$l' ''" \\; \\
    pipe-pane -t '={name}:' "exec sh '$l/logger.sh' '$d' {log_limit}" 2>&1); then say fresh "$end" "$d"
else say failed "$e"; fi
else say full; fi"""


def listing() -> str:
    """Says `session SERVER NAME STATE ALIVE ATTACHED AGE SECONDS STEP`, and `command TEXT` where a step runs.

    For each session's folder on the host; AGE is the session's, SECONDS the running step's.
    """
    return f"""now=$(date +%s)
for d in "$r"/sessions/*/*; do
    [ -d "$d/steps" ] || continue
    step=- a=no age=0 x=0
    {_STATE}
    {_REALLY}
    [ ! -e "$d/attached" ] || a=yes
    if [ -r "$d/began" ] && IFS= read -r x <"$d/began"; then age=$((now - x)); fi
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


# The session's own pane, whichever window a person looks at.
_PANE = 't=; [ ! -r "$d/pane" ] || IFS= read -r t <"$d/pane"'


def capture_pane(job: str, name: str, history: int) -> str:
    """Says `line TEXT` for each line of the pane and of `history` lines above it, or `none`."""
    past = f"-S -{history}" if history else ""
    return f"""{at(job, name)}
{_PANE}
if [ -n "$t" ] && x=$(tmux -L {server(job)} capture-pane -p {past} -t "$t" && echo .); then
printf '%s\\n' "${{x%.}}" | while IFS= read -r y; do say "line $y"; done
else say none; fi"""


def send_keys(job: str, name: str, text: str, *, enter: bool, keys: bool) -> str:
    """Type into the pane; says `sent` or `none`."""
    to = f'tmux -L {server(job)} send-keys -t "$t"'
    words = " ".join(quote(key) for key in text.split())
    typed = f"{to} {words}" if keys else f"{to} -l -- {quote(text)}"
    if enter:
        typed += f" && {to} Enter"
    return f"""{at(job, name)}
{_PANE}
if [ -n "$t" ] && {typed}; then say sent; else say none; fi"""


def kill_server(job: str) -> str:
    """End every session of a job."""
    return f"""for d in "$r"/sessions/{server(job)}/*; do
[ ! -e "$d/pid" ] || {{ rm -f -- "$d/pid" "$d/open" "$d"/steps/*.env; printf 'closed\\n' >"$d/state"; }}
{_HANG_UP}; done
tmux -L {server(job)} kill-server && say killed"""


def remove(job: str, name: str) -> str:
    """Remove a session's files."""
    return f'{at(job, name)}\nrm -rf -- "$d"; rmdir "${{d%/*}}"; say removed'


def clean(days: int) -> str:
    """Remove the folders of sessions that are not alive and were not touched for `days` days; says `removed PATH`."""
    young = f'[ -z "$(find "$d" -mtime -{days} | head -n 1)" ] || continue' if days else ""
    return f"""living=
{_OLD}
{young}
rm -rf -- "$d"; say removed "$d"; done
rmdir "$r"/sessions/*
find "$r/waits" -mindepth 1 -maxdepth 1 -mtime +1 | while IFS= read -r d; do rm -rf -- "$d"; done
if [ -z "$living" ]; then for d in "$r"/lib/*; do [ "$d" = {library.folder()} ] || rm -rf -- "$d"; done; fi"""
