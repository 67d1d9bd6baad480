"""Translates rsync's rules into rclone's filter rules with the same meaning.

In rsync (rsync(1), "FILTER RULES") a pattern without a slash matches a name at any depth. A pattern that begins
with a slash is anchored at the root of the transfer. A pattern that ends with a slash matches only folders. The
first rule that matches decides. rsync applies the rules to each folder on the way to a file, and then to the file.
It does not look at anything in an excluded folder.

In rclone (https://rclone.org/filtering/) a rule matches the whole path of a file, and `folder/**` matches the files
in a folder. Braces mean alternatives; rsync has no such braces. An exclude of rsync may become a rule for folders
and a rule for files. The rule for folders is put before all includes, unless an earlier include matches the folder
itself.
"""

import re

Rule = tuple[str, str]  # ("+" or "-", a pattern of rsync)

EVERYTHING = ("*", "**", "/**")
_WILD = re.compile(r"(\*+|\?|\[[^\]]+\])")


def rules(wanted: list[Rule], name: str) -> list[str]:
    """The `--filter` options for rclone.

    `name` is the name of the folder that is copied, or empty if only the folder's contents are copied. With a name,
    rsync's root is the parent of that folder, but rclone's root is the folder itself.
    """
    wanted = _decisive([(sign, form) for sign, pattern in wanted for form in _plain(sign, pattern)])
    includes = [pattern for sign, pattern in wanted if sign == "+"]
    folders: list[str] = []  # rules that exclude everything in a folder
    files: list[str] = []
    # rules for the contents of folders that an include keeps although a later exclude would leave them out
    inner: list[str] = []
    outer: list[str] = []
    for at, (sign, pattern) in enumerate(wanted):
        if sign == "+":
            files += _filters("+", _of_files(pattern), name)
            if any(_takes(later, pattern) for mark, later in wanted[at:] if mark == "-"):
                inner += _filters("+", _of_contents(pattern), name)
            continue
        files += _filters("-", _of_files(pattern), name)
        # rsync then searches all folders for included files, so a later exclude cannot leave out a folder
        if includes and pattern == "*":
            for later, other in wanted[at + 1 :]:
                files += _filters(later, _of_files(other), name)
            break
        kept = any(_takes(pattern, before) for mark, before in wanted[:at] if mark == "+")
        (outer if kept else folders).extend(_filters("-", _of_contents(pattern), name))
    return folders + files + inner + outer


def leaves_out(wanted: list[Rule], name: str) -> bool:
    """Whether the rules leave out a file called `name`. This file is the only thing to copy."""
    for sign, pattern in wanted:
        form = pattern.removeprefix("/").removeprefix("**/")
        if "/" not in form and _matches(form, name):
            return sign == "-"
    return False


def _decisive(wanted: list[Rule]) -> list[Rule]:
    """The rules up to the first include that matches everything. The rules after it have no effect."""
    at = next(
        (at for at, (sign, pattern) in enumerate(wanted) if sign == "+" and pattern in EVERYTHING), len(wanted)
    )
    return wanted[:at]


def _plain(sign: str, pattern: str) -> list[str]:
    """The pattern without a leading `**/`.

    A pattern that ends with `/***` is short for two patterns; it becomes these two.
    """
    pattern = "*/" if pattern == "**/" else pattern
    pattern = pattern[3:] if pattern.startswith("**/") else pattern
    if pattern.endswith("/***"):
        return [pattern[:-3], pattern[:-1]] if sign == "+" else [pattern[:-3]]
    return [pattern]


def _of_files(pattern: str) -> str:
    return "" if pattern.endswith("/") else pattern


def _of_contents(pattern: str) -> str:
    return "" if pattern.endswith("**") else pattern.rstrip("/") + "/**"


def _filters(sign: str, pattern: str, name: str) -> list[str]:
    forms = _forms(pattern, name) if pattern else []
    return [f"--filter={sign} {form}" for form in forms if sign == "-" or form not in ("**", "**/**")]


def _takes(exclude: str, include: str) -> bool:
    """Whether an exclude would leave out a folder that an earlier include keeps.

    An include whose last part contains a dot is assumed to match files, not folders.
    """
    folder = include.endswith("/") or not (include.endswith("**") or "." in _last(include))
    return folder and not exclude.endswith("**") and exclude != "*" and _meets(exclude, include)


def _forms(pattern: str, name: str) -> list[str]:
    """One or more rclone patterns for `pattern`, relative to the copied folder `name`. Braces are escaped."""
    return [re.sub(r"([{}])", r"\\\1", one) for one in _rooted(pattern, name)]


def _rooted(pattern: str, name: str) -> list[str]:
    """One or more patterns for `pattern`, relative to the folder `name`.

    A pattern that matches the folder itself becomes one that matches everything in the folder.
    """
    if not name:
        return [pattern]
    head, slash, rest = pattern.removeprefix("/").partition("/")
    inside = []
    if _matches(head, name):
        inside = [f"/{rest}"] if slash and rest else ["**"]
    elif head == "**" and slash and rest:
        inside = [f"/{rest}"]
    return inside if pattern.startswith("/") and head != "**" else [pattern, *inside]


def _meets(exclude: str, include: str) -> bool:
    """Whether some name matches the last parts of both an exclude and an include."""
    one, other = _last(exclude), _last(include)
    return _matches(one, other) or _matches(other, one)


def _last(pattern: str) -> str:
    return pattern.rstrip("/").rpartition("/")[2]


def _matches(pattern: str, name: str) -> bool:
    """Whether rsync's `pattern`, without slashes, matches `name`."""
    out = ""
    for part in _WILD.split(pattern):
        if part.startswith("*"):
            out += ".*"
        elif part == "?":
            out += "."
        elif part.startswith("[") and len(part) > 1:
            out += "[" + part[1:-1].replace("\\", "\\\\").replace("!", "^", 1 if part[1] == "!" else 0) + "]"
        else:
            out += re.escape(part)
    return re.fullmatch(out, name, re.DOTALL) is not None
