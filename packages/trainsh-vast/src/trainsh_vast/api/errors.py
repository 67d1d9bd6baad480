"""Turns a failed response of the service into a typed error."""

from typing import Any

from trainsh_base.errors import Conflict, CredentialError, NotFound, RemoteError, TrainError

KEY_HINT = "create one at https://cloud.vast.ai/manage-keys/ and store it: train secrets set VAST_API_KEY"
GONE = ("no_such_ask", "no longer available", "not available")
MONEY = {
    "insufficient_credit": "add credit at https://cloud.vast.ai/billing/",
    "missing_billing": "add a card at https://cloud.vast.ai/billing/",
    "spend_rate_limit": "a new account may spend only a limited amount per hour; ask Vast.ai's support",
}


def meaning(status: int, document: Any, text: str, headers: dict[str, str]) -> TrainError:
    """The error for a response with `status`.

    The text of the response is examined first, because one status has several meanings.
    """
    body = document if isinstance(document, dict) else {}
    code = str(body.get("error") or "")
    said = str(
        body.get("msg") or body.get("message") or body.get("detail") or _first_line(text) or f"status {status}"
    )
    low = f"{code} {said}".lower()
    data = {"status": status, "service": code}
    if code == "auth_error" or "invalid user key" in low or (status == 401 and code != "not_authorized"):
        return _credential(said, low, data)
    if status == 403 or code == "not_authorized":
        return CredentialError(
            f"this API key has no permission for that: {said}", "use a key with the right permissions: https://cloud.vast.ai/manage-keys/",
            code="not_allowed", data=data,
        )  # fmt: skip
    if any(word in low for word in GONE) and "state change queued" not in low:
        return Conflict(
            f"the offer is gone: {said}", "take another offer: train vast search", code="offer_gone", data=data
        )
    if code in MONEY:
        return Conflict(f"Vast.ai refuses: {said}", MONEY[code], code=code, data=data)
    if code == "search_quota_exceeded":
        return RemoteError("today's number of searches is used up", _reset(headers), code="quota", data=data)
    if status == 429:
        return RemoteError(
            "Vast.ai refuses: too many requests", "try again in a minute", code="too_many_requests", data=data
        )
    if status == 410 and code == "deprecated_endpoint":
        return RemoteError(said, "update tmux-trainsh", code="deprecated", data=data)
    if status == 404:
        return NotFound(
            f"Vast.ai found nothing: {said}", "see: train vast list", code=code or "not_found", data=data
        )
    if status >= 500:
        return RemoteError(f"Vast.ai failed: {said}", "try again in a minute", code="server_error", data=data)
    return RemoteError(f"Vast.ai refuses: {said}", code=code or "refused", data=data)


def _credential(said: str, low: str, data: dict[str, Any]) -> CredentialError:
    if "session expired" in low:
        return CredentialError("the login has expired", KEY_HINT, code="expired", data=data)
    if "two factor" in low:
        return CredentialError(
            "Vast.ai wants a second factor for this key",
            "use an API key: " + KEY_HINT,
            code="second_factor",
            data=data,
        )
    return CredentialError(f"Vast.ai refuses the API key: {said}", KEY_HINT, code="bad_key", data=data)


def _first_line(text: str) -> str:
    """The first line of a response, or an empty text if the response is an HTML page."""
    line = text.strip().splitlines()[0] if text.strip() else ""
    return "" if line.startswith("<") else line[:200]


def _reset(headers: dict[str, str]) -> str:
    from datetime import UTC, datetime  # noqa: PLC0415 - only rare errors need it

    try:
        when = datetime.fromtimestamp(int(headers.get("X-RateLimit-Reset", "")), UTC).astimezone()
    except (ValueError, OverflowError):
        return "searches are allowed again after midnight UTC"
    return f"searches are allowed again at {when:%H:%M}"
