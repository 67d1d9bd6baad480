"""Texts for people on how a job or a step ended."""

WORDS = {
    "ok": "ok", "failed": "failed", "timeout": "timed out", "lost": "lost", "cancelled": "cancelled",
    "skipped": "skipped", "unknown": "not known",
}  # fmt: skip


def ended(status: str, reason: str) -> str:
    """`failed: exit 9`; a reason that begins with the status word is used alone: `timed out after 5s`."""
    word, first = WORDS.get(status, status), reason.partition("\n")[0]
    return first if first.startswith(word) else f"{word}: {first}" if first else word
