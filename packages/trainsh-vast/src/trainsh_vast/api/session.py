"""HTTP requests with retries. The API key is never printed or logged."""

import os
from typing import TYPE_CHECKING, Any

import msgspec

from trainsh_base.errors import CredentialError, RemoteError, TrainError, Unreachable
from trainsh_base.system.configuration.config import config_value
from trainsh_base.system.secret import MASK
from trainsh_base.tool import sandboxed
from trainsh_vast.api.errors import KEY_HINT, meaning

if TYPE_CHECKING:
    import requests

BASE = "https://console.vast.ai"
TIMEOUT = (10, 60)


def api_base() -> str:
    """The address of the service: `VAST_URL` if it is set, as for the official client, else the default."""
    return (os.environ.get("VAST_URL") or BASE).rstrip("/")


def api_key() -> str:
    """The API key: the one in the environment, else the stored one. Raises CredentialError if there is none."""
    own = os.environ.get("VAST_API_KEY")
    if own:
        return own
    from trainsh_base.errors import MissingProgram, NotFound  # noqa: PLC0415 - only a stored key needs it
    from trainsh_base.tool.peer import SECRET_LIMIT, call  # noqa: PLC0415 - as above

    try:
        return str(call("secrets", "get", {"name": "VAST_API_KEY"}, timeout=SECRET_LIMIT)["value"])
    except (NotFound, MissingProgram):
        raise CredentialError("there is no VAST_API_KEY", KEY_HINT, code="no_secret") from None


class Session:
    """A session with the service, with the API key of one account. The method `ask` makes one call."""

    def __init__(self, base: str | None = None, key: str | None = None) -> None:
        self.base = base or api_base()
        self._key = key or api_key()
        self._session: requests.Session | None = None

    def _open(self) -> "requests.Session":
        if self._session is None:
            if sandboxed.ended():
                raise sandboxed.gone()
            import requests
            from requests.adapters import HTTPAdapter

            from trainsh_vast.api.patience import policy  # noqa: PLC0415 - it imports urllib3

            session = requests.Session()
            session.headers["Authorization"] = f"Bearer {self._key}"
            session.headers["User-Agent"] = "tmux-trainsh"
            first = float(config_value("vast.retry_delay"))
            session.mount(self.base, HTTPAdapter(max_retries=policy(first, once=False)))
            # A request to rent may have arrived although it failed. It is not sent again here, because the caller
            # must first look for the label.
            session.mount(f"{self.base}/api/v0/asks/", HTTPAdapter(max_retries=policy(first, once=True)))
            self._session = session
        return self._session

    def ask(self, method: str, path: str, body: Any = None, query: dict[str, Any] | None = None) -> Any:
        """Make a call and return the JSON of the response.

        Raises a typed error for a status other than 200, and for a response that is not JSON. A response with
        `success: false` is returned like any other; the function `agreed` checks for it.
        """
        import requests

        params = {
            key: value if isinstance(value, (str, int)) else _json(value) for key, value in (query or {}).items()
        }
        try:
            answer = self._open().request(
                method, self.base + path, params=params, data=None if body is None else _json(body).encode(),
                headers={"Content-Type": "application/json"} if body is not None else None, timeout=TIMEOUT,
                allow_redirects=method == "GET",
            )  # fmt: skip
        except requests.RequestException as error:
            raise self._unreachable(error) from None
        return self._read(answer)

    def _read(self, answer: "requests.Response") -> Any:
        try:
            document = msgspec.json.decode(answer.content) if answer.content else {}
        except (msgspec.DecodeError, UnicodeDecodeError):
            if answer.status_code == 200:
                raise RemoteError(
                    "Vast.ai's answer is cut off or not JSON", "try again in a minute", code="bad_answer"
                ) from None
            document = None
        if answer.status_code != 200:
            raise meaning(answer.status_code, document, self._masked(answer.text), dict(answer.headers))
        return document

    def _unreachable(self, error: Exception) -> TrainError:
        words = self._masked(str(error.args[0] if error.args else error))
        why = words.rpartition("Caused by ")[2] or words
        return Unreachable(
            f"cannot reach {self.base}", f"check the network: {why.strip('()')[:200]}", code="unreachable"
        )

    def _masked(self, text: str) -> str:
        return text.replace(self._key, MASK)

    def fetch_text(self, address: str) -> str | None:
        """The text at a URL that needs no API key, or None if there is no text yet."""
        import requests

        try:
            answer = requests.get(address, timeout=TIMEOUT)
        except requests.RequestException as error:
            raise self._unreachable(error) from None
        return answer.text if answer.status_code == 200 else None


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def agreed(document: Any) -> Any:
    """Return `document`, the response of a call with status 200.

    If it contains `success: false`, raise its error instead.
    """
    if isinstance(document, dict) and document.get("success") is False:
        raise meaning(200, document, "", {})
    return document
