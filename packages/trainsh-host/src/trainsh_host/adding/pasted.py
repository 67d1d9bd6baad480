"""Reads an ssh command that was pasted into `train host add` without quotes."""

OWN = "--"  # ssh has no long options, so these are train's


def quoted(words: list[str]) -> list[str]:
    """Return the command line with the ssh command of `add [NAME] ssh OPTIONS user@host` as one argument.

    Other command lines are returned as they are.
    """
    if words[:1] != ["add"] or "ssh" not in words[1:3]:
        return words
    at = words.index("ssh", 1)
    if at == 2 and words[1].startswith("-"):
        return words
    command = [word for word in words[at + 1 :] if not word.startswith(OWN)]
    own = [word for word in words[at + 1 :] if word.startswith(OWN)]
    if not command:
        return words
    import shlex  # noqa: PLC0415 - only a pasted command needs it

    return ["add", *words[1:at], "--from", shlex.join(["ssh", *command]), *own]
