"""A parsed request, in the form that the handlers receive."""

import json
from typing import Any

from trainsh_sandbox.api.answers import Refused
from trainsh_sandbox.instances.instance import Instance
from trainsh_sandbox.world.world import World


class Call:
    """A parsed request.

    `who` is "account", "nobody", or the instance that owns the key. `base` is the address of the service.
    """

    def __init__(
        self,
        world: World,
        query: dict[str, str],
        body: Any,
        who: str | Instance,
        base: str,
        groups: tuple[str, ...],
    ) -> None:
        self.world = world
        self.query = query
        self.body = body if isinstance(body, dict) else {}
        self.who = who
        self.base = base
        self.groups = groups

    @property
    def number(self) -> int:
        """The instance id in the path."""
        return int(self.groups[0])

    def json(self, name: str, otherwise: Any) -> Any:
        """The value of a query parameter that is JSON, or `otherwise` if the parameter is missing."""
        text = self.query.get(name)
        if not text:
            return otherwise
        try:
            return json.loads(text)
        except ValueError:
            raise Refused(400, "invalid_request", f"Error in query parameters: {name} is not JSON") from None
