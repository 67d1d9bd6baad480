"""The preview of a file, on the right of the list: its size, date and mode, and the beginning of its text."""

import io
import shlex
import stat
import time

from trainsh_base.errors import TrainError
from trainsh_base.system.printable import visible
from trainsh_base.system.units import format_size
from trainsh_host.browse.files import Files
from trainsh_host.browse.model import File

MOST = 64 << 10  # how many bytes of a file are read
LINES = 400
IMAGES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"RIFF", b"II*\0", b"MM\0*")


def preview(files: Files, file: File, path: bytes) -> list[str]:
    """The lines to show, without control characters. If there is an error, a line shows it."""
    lines = [shown(file.text), *facts(file)]
    try:
        if file.kind == "link":
            lines.append(f"leads to {shown(files.read_link(path).decode('utf-8', 'surrogateescape'))}")
        elif file.kind == "file" and file.size:
            lines += ["", *content(files.read(path, MOST), file.size)]
    except TrainError as error:
        lines += ["", visible(error.message, keep="")]
    return lines


def facts(file: File) -> list[str]:
    """The size, the date and the mode of a file, as text."""
    size = [f"{format_size(file.size)} ({file.size:,} bytes)"] if file.kind == "file" else [file.kind]
    return [*size, time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(file.modified)), stat.filemode(file.mode)]


def content(data: bytes, size: int) -> list[str]:
    """The beginning of a text as lines; the type and size of an image; or the first bytes of any other data."""
    if data.startswith(IMAGES) and (image := _image(data)):
        return [image]
    if b"\0" in data:
        return ["binary: " + data[:16].hex(" ")]
    text = data.decode(errors="replace").replace("\r\n", "\n")
    lines = [visible(line.expandtabs(4), keep="") for line in text.split("\n")[:LINES]]
    return lines if size <= len(data) and len(lines) < LINES else [*lines, "..."]


def _image(data: bytes) -> str:
    import imagesize  # type: ignore[import-untyped] # noqa: PLC0415 - it has no types; few files are images

    try:
        width, height = imagesize.get(io.BytesIO(data))
    except (ValueError, OSError, TypeError):
        return ""
    kind = {b"\x89PNG": "PNG", b"\xff\xd8\xff": "JPEG", b"GIF8": "GIF", b"RIFF": "WebP"}.get(data[:4], "")
    kind = kind or ("JPEG" if data.startswith(b"\xff\xd8\xff") else "TIFF")
    return f"{kind} image, {width} x {height}" if width > 0 else ""


def shown(name: str) -> str:
    """A name in a form for the screen: characters that would control the terminal are written as escapes."""
    return visible(name, keep="")


def pasted(path: bytes) -> str:
    """A path in a form that is safe to paste into a shell: it is quoted, and control characters are written as in
    `$'\\x1b'`.
    """
    text = path.decode("utf-8", "surrogateescape")
    if not any(visible(character, keep="") != character for character in text):
        return shlex.quote(text) if shlex.quote(text) != text else text
    written = "".join(
        chr(byte) if 32 <= byte < 127 and chr(byte) not in "'\\" else f"\\x{byte:02x}" for byte in path
    )
    return f"$'{written}'"
