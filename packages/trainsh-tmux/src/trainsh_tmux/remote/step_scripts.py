"""What is run on a host for one step, as text: see scripts.py."""

from trainsh_base.remote.channel import quote
from trainsh_tmux.names import server
from trainsh_tmux.remote import library
from trainsh_tmux.remote.scripts import HANG_UP, REALLY, STATE, at

# A command this short is shown from the line in the FIFO, which is one write whole (PIPE_BUF is 512 at least).
ECHO_IN_LINE = 300

# Writes TEXT to FILE. One that is there, from a request before, may just be read by the session's shell, or be torn:
# another takes its place.
PUT = """put() {
    set -C
    if printf %s "$1" >"$2"; then set +C; else
        set +C
        printf %s "$1" >"$2.$$" && mv -f "$2.$$" "$2" || { rm -f -- "$2.$$"; return 1; }
    fi
}"""


def hand_step(
    job: str, name: str, step: str, command: str, *, mode: str, echo: str, limit: float | None
) -> str | None:
    """Starts a step where nothing is in its way; else says `slow`, and start_step is to be asked.

    A host's shell takes longer to read start_step than to do this. None for a command that is long or has lines.
    """
    line, head = _shown_in_line(step, mode, echo, limit)
    if head:
        return None
    return f"""{at(job, name)}; s=$d/steps/{step}; set -C
if [ ! -e "$s.claim" ] && [ -e "$d/open" ] && printf %s {quote(command + chr(10))} >"$s"; then
set +C; printf '%s\\n' {quote(line)} 1<>"$d/fifo"
else set +C; say slow; fi"""


def start_step(
    job: str, name: str, step: str, command: str, *, mode: str = "run", echo: str = "", limit: float | None = None,
    secrets: dict[str, str] | None = None, taken: tuple[str, ...] = (), only_ask: bool = False,
) -> str:  # fmt: skip
    """Says `again [STATUS [WHY]]` (or `again lost [WHY]`) when it was started before, `never` (with `only_ask`), `full`, or why not:
    `released`, `starting`, `gone STATE`. Says nothing when it is sent: the log shows that it begins.

    `taken`: steps that had secrets and whose captured output is known; it is removed."""
    line, head = _shown_in_line(step, mode, echo, limit)
    write = [f'put {quote(head)} "$s.head"'] if head else []
    write.append(f'put {quote(command + chr(10))} "$s"')
    known = f"""s=$d/steps/{step}
if [ -e "$s.claim" ]; then
    x= y=
    if [ -e "$s.status" ]; then
        IFS= read -r x <"$s.status" || for x in "$s.status="*; do x=${{x##*=}}; done
        [ ! -r "$s.why" ] || IFS= read -r y <"$s.why"
        say again "$x" "$y"
    else
        {STATE}
        {REALLY}
        [ ! -r "$s.why" ] || IFS= read -r y <"$s.why"
        if [ "$alive" ]; then say again; else say again lost "$y"; fi
    fi"""
    if only_ask:
        return f"{at(job, name)}\n{known}\nelse say never; fi"
    if secrets:
        write.append(f'put {quote(secret_lines(secrets))} "$s.env"')
    remove = " ".join(f'"$d/steps/{word}.out.env"' for word in taken)
    return f"""{at(job, name)}{f"; rm -f -- {remove}" if remove else ""}
{known}
else
if [ -e "$d/open" ]; then
{PUT}
if {" && ".join(write)}; then printf '%s\\n' {quote(line)} 1<>"$d/fifo"
else rm -f -- "$s" "$s.head" "$s.env"; say full; fi
else
{STATE}
{REALLY}
case $alive$state in
1released*) say released ;;
1*) say starting ;;
*) say gone "$state" ;;
esac
fi
fi"""


def mark(letter: str, *fields: str) -> bytes:
    """A sentinel's bytes (log/sentinels.py reads them)."""
    return b"\x1b]7770;%s;%s\x07" % (letter.encode(), ";".join(fields).encode())


def _shown_in_line(step: str, mode: str, echo: str, limit: float | None) -> tuple[str, str]:
    """The line for the FIFO, and what the pane shows before the output where that does not fit into it."""
    text = shown(echo)
    line = f"run {step} {mode} {'-' if limit is None else f'{limit:g}'} "
    if text and b"\n" not in text and len(text) <= ECHO_IN_LINE:
        return line + text.decode(), ""
    head = mark("b", step) + b"\x1b[1m$ " + text + b"\x1b[0m\r\n" + mark("o", step)
    return line, head.decode()


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
    """Says the captured output in lines of octal bytes, which survive any content; `gone` when it is not kept."""
    return f"""{at(job, name)}; x=$d/steps/{step}.out
[ -e "$x" ] || x=$x.env
if [ -e "$x" ]; then od -An -v -to1 <"$x" | while IFS= read -r x; do say $x; done; else say gone; fi"""


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
        {HANG_UP}
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
