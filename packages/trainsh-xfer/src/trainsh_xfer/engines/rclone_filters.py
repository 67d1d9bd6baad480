"""Translates rsync's patterns into rclone's filter rules with the same meaning. Pure.

rsync(1), "FILTER RULES": a pattern without a slash matches a name at any depth, and a folder with all its contents.
A pattern that begins with a slash is anchored at the root of the transfer. One that ends in a slash matches folders
only. rclone (https://rclone.org/filtering/): a rule matches files; `folder/**` matches those in a folder; braces
mean alternatives, which rsync does not have. In both, the first matching rule wins.
"""

import re

_WHOLE = ("**", "**/**")


def rules(include: list[str], exclude: list[str], name: str) -> list[str]:
    """The `--filter` options for rclone: the included patterns, then the excluded ones.

    `name` is the folder that is copied, and empty when only its contents are. rsync's root is then the parent of
    that folder, rclone's root is the folder itself.
    """
    words = [f"--filter=+ {form}" for pattern in include for form in _forms(pattern, name)]
    forms = [form for pattern in exclude for form in _forms(pattern, name)]
    if include and "*" in exclude:  # `*` must not exclude the folder that is copied: it may hold included files
        forms = [form for form in forms if form not in _WHOLE]
    return words + [f"--filter=- {form}" for form in forms]


def _forms(pattern: str, name: str) -> list[str]:
    """The rclone patterns that together match what rsync's `pattern` matches."""
    forms = []
    for one in _rooted(pattern, name):
        plain = re.sub(r"([{}])", r"\\\1", one)
        if plain.endswith("/"):
            forms.append(plain + "**")
        else:
            forms += [plain, plain + "/**"]
    return forms


def _rooted(pattern: str, name: str) -> list[str]:
    """`pattern` relative to the folder `name`. A pattern that matches the folder itself matches everything in
    it."""
    if not name:
        return [pattern]
    head, slash, rest = pattern.removeprefix("/").partition("/")
    inside = []
    if _matches(head, name):
        inside = [f"/{rest}"] if slash and rest else ["**"]
    return inside if pattern.startswith("/") else [pattern, *inside]


def _matches(pattern: str, name: str) -> bool:
    """Whether rsync's `pattern`, without slashes, matches `name`."""
    out = ""
    for part in re.split(r"(\*+|\?|\[[^\]]+\])", pattern):
        if part.startswith("*"):
            out += ".*"
        elif part == "?":
            out += "."
        elif part.startswith("[") and len(part) > 1:
            out += "[" + part[1:-1].replace("\\", "\\\\").replace("!", "^", 1 if part[1] == "!" else 0) + "]"
        else:
            out += re.escape(part)
    return re.fullmatch(out, name, re.DOTALL) is not None
