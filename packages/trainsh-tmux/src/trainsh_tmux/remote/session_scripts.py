"""What is run on a host to open, show and end sessions, as text: see scripts.py."""

from trainsh_base.remote.channel import quote
from trainsh_tmux.names import server
from trainsh_tmux.remote import library
from trainsh_tmux.remote.scripts import END, HANG_UP, REALLY, STATE, at

# Secrets by these names do not get into the environment that a tmux server, and so every session, inherits.
SECRET_NAMES = (
    "VAST_API_KEY", "HF_TOKEN", "R2_ACCESS_KEY", "R2_SECRET_KEY", "B2_KEY_ID", "B2_APPLICATION_KEY",
    "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "OPENAI_API_KEY", "ANTHROPIC_API_KEY",
    "GOOGLE_DRIVE_CREDENTIALS", "TRAINSH_PASSPHRASE",
)  # fmt: skip

# For each dead session's folder `$d` in which nothing is younger than `$days` days.
_OLD = f"""for d in "$r"/sessions/*/*; do
[ -d "$d/steps" ] || continue
{STATE}
{REALLY}
[ -z "$alive" ] || {{ living=1; continue; }}"""

# What nobody comes back for goes by itself: sessions that were closed a week ago, others a month after their end.
# Looked for once a day.
_FORGET = f"""[ -z "$(find "$r/swept" -mtime -1)" ] || exit
: >"$r/swept"
{_OLD}
days=30
[ "$state" != closed ] || days=7
[ -n "$(find "$d" -mtime "-$days" | head -n 1)" ] || rm -rf -- "$d"; done"""

INSTALLERS = (
    'for m in "apt-get install -y" "apk add" "dnf install -y" "yum install -y" "pacman -S --noconfirm" "brew install"; do\n'
    'if command -v "${m%% *}" >/dev/null; then say install "$m"; break; fi; done'
)


# Notes of steps that were begun in a shell which is gone that nobody knows how they ended: the next shell is not
# theirs. Background steps may have outlived it, if not its machine's start.
_LOSE = """p= q= x=
[ ! -r "$d/pid" ] || IFS=' ' read -r p q <"$d/pid"
[ ! -r /proc/sys/kernel/random/boot_id ] || IFS= read -r x </proc/sys/kernel/random/boot_id
for f in "$d"/steps/*.claim; do
f=${f%.claim}
[ -e "$f.claim" ] && [ ! -e "$f.status" ] || continue
[ "$q" = "$x" ] && [ -r "$f.pid" ] && IFS= read -r p <"$f.pid" && kill -0 "$p" || printf 'lost\\n' >"$f.status"; done"""


def open_session(job: str, name: str, start: str, *, plain: bool, log_limit: int) -> str:
    """Says `lib`, `no-tmux`, `open OFFSET FOLDER STATE`, `fresh OFFSET FOLDER` or `failed WORDS`."""
    lib, here = library.folder(), server(job)
    unset = " ".join(("TMUX", "TMUX_PANE", *SECRET_NAMES))
    # Words of their own: tmux runs them without the login shell, whose files may ask something. A `;` at the end of
    # one would end tmux's command.
    folder = quote(start[:-1] + "\\;" if start.endswith(";") else start)
    pane = f'sh "$l/pane.sh" "$d" "$l" {folder} {"plain" if plain else ""}'
    return f"""{at(job, name)}; l={lib}
{STATE}
{REALLY}
if [ ! -e "$l/pane.sh" ]; then say lib
elif ! command -v tmux >/dev/null; then say no-tmux; {INSTALLERS}
elif [ -n "$alive" ] && tmux -L {here} has-session -t '={name}'; then
{END}
say open "$end" "$state" "$d"
else
if [ -d "$d/steps" ]; then
{_LOSE}
rm -f -- "$d/fifo" "$d/current" "$d/attached" "$d/typed" "$d/pid" "$d/shell" "$d/state" "$d/pane" "$d/open"
else mkdir -p "$d/steps"; fi
if mkfifo "$d/fifo"; then
{END}
e=$(unset {unset}; exec tmux -L {here} -f "$l/tmux.conf" new-session -d -s {name} -x 200 -y 50 {pane} \\; \\
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
    from trainsh_base.system.config import config_value  # noqa: PLC0415 - only a new session needs it

    return int(config_value("tmux.log_limit"))


def _hooks() -> str:
    """tmux commands that have typed.sh called; sent keys are noted before the one who sends them goes on."""
    call = "run-shell {} \\\"sh '$l/typed.sh' '${{d%/*}}' {}\\\""
    events = [f"client-{word}" for word in ("attached", "detached", "session-changed")]
    hooks = [(event, call.format("-b", "").replace("{{", "{").replace("}}", "}")) for event in events]
    keys = [(f"after-{word}", call.format("", "keys")) for word in ("send-keys", "paste-buffer")]
    return " ".join(f'\\; set-hook -g {event} "{command}"' for event, command in [*hooks, *keys])


def holds(job: str, sessions: list[str], steps: list[str]) -> str:
    """Says what holds.sh prints; nothing where no session was opened by this version."""
    names = " ".join([*sessions, "--", *steps])
    return f"""l={library.folder()}
[ ! -e "$l/holds.sh" ] || sh "$l/holds.sh" "$r"/sessions/{server(job)} {names} | while IFS= read -r x; do say "$x"; done"""


def close_session(job: str, name: str) -> str:
    """Says `closed`, or `none` when it was not open."""
    return f"""{at(job, name)}
{STATE}
{REALLY}
rm -f -- "$d/pid" "$d/open" "$d"/steps/*.env # without it the pane writes no more into this folder
[ -z "$alive" ] || {{ {HANG_UP}; }}
tmux -L {server(job)} kill-session -t '={name}' && alive=1
if [ -n "$alive" ]; then printf 'closed\\n' >"$d/state"; say closed; else say none; fi"""


def release(job: str, name: str) -> str:
    """Says `released` (it was already), `asked` (it is about to be, once its step is over) or `none`."""
    return f"""{at(job, name)}
{STATE}
{REALLY}
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
{END}
if mkfifo "$d/fifo"; then
if e=$(tmux -L {here} new-window -t '={name}:' -c "$c" sh "$l/pane.sh" "$d" "$l" '' \\; \\
    pipe-pane -t '={name}:' "exec sh '$l/logger.sh' '$d' {log_limit}" 2>&1); then say fresh "$end" "$d"
else say failed "$e"; fi
else say full; fi"""


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


def press_enter(job: str, name: str) -> str:
    """Answer what the login files ask in a session that is being opened."""
    return f"tmux -L {server(job)} send-keys -t '={name}:' Enter"


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
{HANG_UP}; done
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
