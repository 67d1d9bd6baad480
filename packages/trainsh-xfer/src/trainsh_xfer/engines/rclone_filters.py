"""rsync's patterns as rclone's filter rules, with the same meaning. Pure.

rsync(1) "FILTER RULES": a pattern without a slash matches a name at any depth, a folder with all that is in it; one
that begins with a slash is anchored at the root of the transfer; one that ends in a slash matches folders alone.
rclone (https://rclone.org/filtering/): a rule matches files; those of a folder are matched by `folder/**`; braces
mean alternatives, which rsync does not know. The first rule that matches wins, in both.
"""

import re

_WHOLE = ("**", "**/**")


def rules(include: list[str], exclude: list[str], name: str) -> list[str]:
    """`--filter` options: what is included, then what is excluded.

    `name` is the folder that is copied itself (empty where its contents are): rsync's root is above it, rclone's
    root is in it.
    """
    words = [f"--filter=+ {form}" for pattern in include for form in _forms(pattern, name)]
    forms = [form for pattern in exclude for form in _forms(pattern, name)]
    if include and "*" in exclude:  # folders are walked for what is included, the one that is copied too
        forms = [form for form in forms if form not in _WHOLE]
    return words + [f"--filter=- {form}" for form in forms]


def _forms(pattern: str, name: str) -> list[str]:
    """The patterns of rclone's that together match what rsync's does."""
    forms = []
    for one in _rooted(pattern, name):
        plain = re.sub(r"([{}])", r"\\\1", one)
        if plain.endswith("/"):
            forms.append(plain + "**")
        else:
            forms += [plain, plain + "/**"]
    return forms


def _rooted(pattern: str, name: str) -> list[str]:
    """The pattern seen from inside the folder `name`; one that the folder itself matches matches all in it."""
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
