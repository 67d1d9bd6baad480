"""The calls of the service that this tool uses. Each has a method."""

from collections.abc import Iterator
from typing import Any

import msgspec

from trainsh_base.errors import NotFound, RemoteError
from trainsh_base.provider.listed import no_instance
from trainsh_vast.api.session import Session, agreed

Row = dict[str, Any]
V0, V1 = "/api/v0", "/api/v1"
PAGE = 25


class Service:
    """An account at the service. Every method may raise the errors in `api.errors`."""

    def __init__(self, session: Session | None = None) -> None:
        self._session = session or Session()
        self.ask = self._session.ask

    # Offers

    def search(self, query: dict[str, Any]) -> list[Row]:
        """The offers that the server finds, at most 64."""
        found = self.ask("POST", f"{V0}/bundles/", query).get("offers") or []
        return [found] if isinstance(found, dict) else list(found)

    def gpu_names(self) -> list[str]:
        """The GPU models that the market has."""
        return list(self.ask("GET", f"{V0}/gpu_names/unique/").get("gpu_names") or [])

    def create(self, offer: int, body: dict[str, Any]) -> Any:
        """Rent an offer. The response is returned unchanged, even if it contains `success: false`."""
        return self.ask("PUT", f"{V0}/asks/{offer}/", {"client_id": "me", **body})

    # Instances

    def instances(self) -> Iterator[Row]:
        """Yield every instance of the account, page by page.

        If the service does not know the new call for this list, the old call is used.
        """
        token: str | None = None
        while True:
            query = {"select_filters": {}, "order_by": [{"col": "id", "dir": "asc"}], "limit": PAGE}
            try:
                page = agreed(
                    self.ask("GET", f"{V1}/instances/", None, query | ({"after_token": token} if token else {}))
                )
            except NotFound:
                yield from self._old_list()
                return
            yield from _rows(page)
            token = page.get("next_token")
            if not token:
                return

    def _old_list(self) -> list[Row]:
        return _rows(self.ask("GET", f"{V0}/instances/", None, {"owner": "me"}))

    def instance(self, number: int) -> Row | None:
        """One instance, or None when it is gone."""
        try:
            found = self.ask("GET", f"{V0}/instances/{number}/", None, {"owner": "me"}).get("instances")
        except NotFound:
            return None
        return found if isinstance(found, dict) else None

    def need(self, number: int) -> Row:
        """One instance. Raises NotFound when it is gone."""
        found = self.instance(number)
        if found is None:
            raise no_instance("vast", str(number))
        return found

    def set_state(self, number: int, state: str) -> Any:
        """Request the state `running` or `stopped`.

        The response is returned unchanged. `success: false` in it means that the start waits in a queue.
        """
        return self.ask("PUT", f"{V0}/instances/{number}/", {"state": state})

    def set_label(self, number: int, label: str) -> None:
        """Change the label."""
        agreed(self.ask("PUT", f"{V0}/instances/{number}/", {"label": label}))

    def reboot(self, number: int) -> None:
        """Restart the container."""
        agreed(self.ask("PUT", f"{V0}/instances/reboot/{number}/", {}))

    def destroy(self, number: int) -> None:
        """Destroy an instance and its disk."""
        agreed(self.ask("DELETE", f"{V0}/instances/{number}/", {}))

    def bid(self, number: int, price: float | None) -> None:
        """Change the bid of an interruptible instance. With None, the service chooses a bid that wins."""
        agreed(self.ask("PUT", f"{V0}/instances/bid_price/{number}/", {"client_id": "me", "price": price}))

    def request_logs(self, number: int, tail: int, word: str | None) -> str:
        """Request the log, and return the URL at which the log will appear."""
        body = {"tail": str(tail)} | ({"filter": word} if word else {})
        return str(agreed(self.ask("PUT", f"{V0}/instances/request_logs/{number}/", body))["result_url"])

    def fetch_text(self, address: str) -> str | None:
        """The text at a URL, or None if there is no text yet."""
        return self._session.fetch_text(address)

    # Keys and money

    def keys(self) -> list[Row]:
        """The account's ssh keys."""
        try:
            found = self.ask("GET", f"{V0}/ssh/")
        except NotFound:
            return []
        return [row for row in found if isinstance(row, dict) and not row.get("deleted_at")]

    def instance_keys(self, number: int) -> list[Row]:
        """The keys on an instance."""
        found = agreed(self.ask("GET", f"{V0}/instances/{number}/ssh/")).get("ssh_keys")
        return list(msgspec.json.decode(found)) if isinstance(found, str) else list(found or [])

    def add_key(self, text: str) -> None:
        """Put a key on the account."""
        agreed(self.ask("POST", f"{V0}/ssh/", {"ssh_key": text}))

    def attach_key(self, number: int, text: str) -> None:
        """Put a key on an instance."""
        agreed(self.ask("POST", f"{V0}/instances/{number}/ssh/", {"ssh_key": text}))

    def user(self) -> Row:
        """The account."""
        return dict(self.ask("GET", f"{V0}/users/current/"))

    def charges(self, start: float, end: float) -> Iterator[Row]:
        """The lines of the account's ledger between two times, which are in seconds since 1970."""
        token: Any = None
        while True:
            query: dict[str, Any] = {
                "select_filters": {"day": {"gte": int(start), "lte": int(end) + 1}, "type": {"in": ["instance"]}},
                "format": "tree", "limit": 500,
            }  # fmt: skip
            page = agreed(
                self.ask("GET", f"{V0}/charges/", None, query | ({"after_token": token} if token else {}))
            )
            yield from page.get("results") or []
            token = page.get("next_token")
            if not token:
                return


def _rows(page: Any) -> list[Row]:
    found = page.get("instances") if isinstance(page, dict) else None
    if not isinstance(found, list):
        raise RemoteError("Vast.ai's list of instances cannot be read", "try again in a minute", code="bad_answer")
    return [row for row in found if isinstance(row, dict)]
