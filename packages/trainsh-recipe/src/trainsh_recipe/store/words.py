"""Texts for people on how a job or a step ended."""

WORDS = {
    "ok": "ok", "failed": "failed", "timeout": "timed out", "lost": "lost", "cancelled": "cancelled",
    "skipped": "skipped", "unknown": "not known", "background": "in the background",
}  # fmt: skip


def ended(status: str, reason: str) -> str:
    """Return for example `failed: exit 9`.

    If the reason begins with the status word, only the reason is returned.
    """
    word, first = WORDS.get(status, status), reason.partition("\n")[0]
    return first if first.startswith(word) else f"{word}: {first}" if first else word
