"""Turns texts of the plan into values: variables, secrets, and typed options."""

import re
import threading
from collections.abc import Callable

import msgspec

from trainsh_base.errors import CredentialError, NotFound, UsageError
from trainsh_base.system import spawn
from trainsh_base.system.secret import from_environment
from trainsh_base.system.units import parse_duration, parse_truth
from trainsh_recipe.plan.document import Parts, Place, Plan, Ref, Text
from trainsh_recipe.store.options import Overrides
from trainsh_recipe.store.state import State

# how many levels of variables in variables are allowed; an override could make a cycle, but a plan has none
_DEEPEST = 50


class Secrets:
    """The secrets that this process has looked up, each when first needed."""

    def __init__(self, ask: Callable[[str], str]) -> None:
        self._ask = ask
        self._known: dict[str, str] = {}
        self._lock = threading.Lock()

    def get(self, name: str) -> str:
        """Return the value of a secret. Raises CredentialError (exit 4) if the secret does not exist."""
        with self._lock:
            if name not in self._known:
                self._known[name] = self._find(name)
            return self._known[name]

    def _find(self, name: str) -> str:
        value = from_environment(name)
        if value is not None:
            return value
        hint = f"store it: train secrets set {name}\nor pass it for this run only: {name}=... train recipe run ..."
        if spawn.tool_path("secrets") is None:
            raise CredentialError(
                f"there is no secret {name}: it is not in the environment", hint, code="no_secret"
            )
        try:
            return self._ask(name)
        except NotFound:
            raise CredentialError(f"there is no secret {name}", hint, code="no_secret") from None

    @classmethod
    def of(cls, values: dict[str, str]) -> "Secrets":
        """Return secrets that were looked up already."""
        found = cls(lambda name: "")
        found._known = dict(values)
        return found

    def keep(self, others: "Secrets | None") -> None:
        """Take over what others have looked up."""
        if others is not None:
            self._known |= others._known

    def known(self) -> dict[str, str]:
        """Return the secrets looked up so far, name -> value."""
        return dict(self._known)

    def values(self) -> list[str]:
        """Return all values looked up so far, for masking."""
        return list(self._known.values())


class Values:
    """The current values of the names in a recipe."""

    def __init__(self, plan: Plan, state: State, secrets: Secrets) -> None:
        self.plan = plan
        self.state = state
        self.secrets = secrets
        self.status = ""  # JOB_STATUS, set for the steps of `finally`
        self._defaults: dict[str, float] = {}
        self.kept: dict[str, str] = {}  # captured values that contain a secret; they are not written to the journal

    # Texts

    def plain(self, text: Text | int | float) -> str:
        """Return the text with all values, including secrets, for use in specs, options and messages."""
        return self._join(text, self.secrets.get)

    def shown(self, text: Text | int | float) -> str:
        """Return the text for display.

        A secret stays `${secret:NAME}`, a captured value with a secret `${NAME}`.
        """
        said = self._join(text, lambda name: f"${{secret:{name}}}")
        for name, value in self.kept.items():
            said = said.replace(value, f"${{{name}}}")
        return said

    def command(self, text: Text) -> tuple[str, dict[str, str]]:
        """Return (the command with an environment variable for each secret, the values of these variables)."""
        names: dict[str, str] = {}

        def refer(secret: str) -> str:
            if secret not in names:
                name = "TRAIN_SECRET_" + re.sub(r"\W", "_", secret, flags=re.ASCII)
                while name in names.values():
                    name += "_"
                names[secret] = name
            return f"${{{names[secret]}}}"

        joined = self._join(text, refer)
        return joined, {name: self.secrets.get(secret) for secret, name in names.items()}

    def secret_names(self) -> list[str]:
        """Return the secrets in the recipe whose names can be environment variables."""
        texts = [given(text) for text in self.state.overrides.get("vars", {}).values()]
        plan = msgspec.json.encode([self.plan, texts]).decode()
        return sorted(set(re.findall(r'"secret":"([A-Za-z_][A-Za-z0-9_]*)"', plan)))

    def _join(self, text: Text | int | float, secret: Callable[[str], str], depth: int = 0) -> str:
        if isinstance(text, str):
            return text
        if not isinstance(text, list):
            return f"{text:g}" if isinstance(text, float) else str(text)
        return "".join(part if isinstance(part, str) else self._part(part, secret, depth) for part in text)

    def _part(self, part: Ref, secret: Callable[[str], str], depth: int) -> str:
        if part.secret:
            return secret(part.secret)
        found = self.variable(part.var)
        if found is None:
            if part.otherwise:
                return part.otherwise
            raise UsageError(
                f"${part.var} has no value yet", "the step that sets it has not run, or the value held a "
                "secret; to run that step again: train recipe resume --from N", code="no_value",
            )  # fmt: skip
        if depth > _DEEPEST:
            raise UsageError(f"${part.var} is defined in terms of itself", code="circular")
        return self._join(found, secret, depth + 1)

    def variable(self, name: str) -> Text | None:
        """Return the value of a variable, which is overridden, captured, set by a tool, defined, or built in.

        Returns None for an unknown variable.
        """
        overrides = self.state.overrides.get("vars", {})
        if name in overrides:
            return given(overrides[name])
        if name in self.kept:
            return self.kept[name]
        if name in self.state.vars:
            return self.state.vars[name]
        if name in self.plan.vars:
            return self.plan.vars[name].value
        built_in = {"JOB_ID": self.state.id, "JOB_STATUS": self.status, "SWEEP_INDEX": "0"}
        return built_in.get(name)

    # Options

    def default(self, setting: str) -> float:
        """Return a setting of config.toml, a duration, in seconds. A run reads each setting only once."""
        if setting not in self._defaults:
            from trainsh_base.system.configuration.config import config_value  # noqa: PLC0415 - not before a step

            self._defaults[setting] = float(config_value(setting))
        return self._defaults[setting]

    def seconds(self, value: float | Parts | None) -> float | None:
        """Return a duration in seconds. None stays None."""
        if isinstance(value, list):
            return parse_duration(self.plain(value))
        return value

    def count(self, value: int | Parts | None) -> int:
        """Return a whole number, 0 or more. None becomes 0."""
        if not isinstance(value, list):
            return value or 0
        text = self.plain(value)
        if not text.isdigit():
            raise UsageError(f"not a whole number: {text!r}", code="bad_number")
        return int(text)

    def truth(self, value: bool | Parts | None) -> bool:
        """Return a boolean. None becomes False."""
        return parse_truth(self.plain(value)) if isinstance(value, list) else bool(value)

    # Hosts and storages

    def host(self, name: str) -> str:
        """Return the spec of a host.

        The first of these counts: an override, what a tool answered, the recipe's own spec. Raises UsageError for a
        placeholder.
        """
        return self._place("host", name, self.plan.hosts, self.state.hosts)

    def storage(self, name: str) -> str:
        """Return the spec of a storage."""
        return self._place("storage", name, self.plan.storages, self.state.storages)

    def _place(self, kind: str, name: str, places: dict[str, Place], bound: dict[str, str]) -> str:
        given = self.state.overrides.get(f"{kind}s", {})
        if name in given:
            return given[name]
        if name in bound:
            return bound[name]
        if name not in places:
            raise UsageError(f"there is no {kind} {name}", code=f"no_{kind}")
        if places[name].type == "placeholder":
            raise UsageError(
                f"{kind} {name} is a placeholder that has no value yet",
                f"set it: --{kind} {name}=SPEC", code="placeholder", data={"name": name},
            )  # fmt: skip
        return self.plain(places[name].spec)

    def known_hosts(self) -> dict[str, str]:
        """Return the specs of the hosts that already have one, as name -> spec."""
        return self._known(self.plan.hosts, self.host)

    def known_storages(self) -> dict[str, str]:
        """Return the specs of the storages that already have one, as name -> spec."""
        return self._known(self.plan.storages, self.storage)

    def _known(self, places: dict[str, Place], spec: Callable[[str], str]) -> dict[str, str]:
        found = {}
        for name in places:
            try:
                found[name] = spec(name)
            except UsageError:
                continue
        return found


def given(text: str) -> Text:
    """Parse the TEXT of `--var NAME=TEXT`, in which `@NAME` is a secret and `@@` a literal @."""
    if text.startswith("@@"):
        return text[1:]
    return [Ref(secret=text[1:])] if text.startswith("@") and len(text) > 1 else text


def refs(text: object) -> list[Ref]:
    """Return the Refs in a text."""
    return [part for part in text if isinstance(part, Ref)] if isinstance(text, list) else []


def any_secret(plan: Plan, overrides: Overrides) -> bool:
    """Return whether the recipe or a value of the command line names a secret. Most name none."""
    values = overrides.get("vars", {}).values()
    text = msgspec.json.encode(plan).replace(b'"secret":""', b"")
    return b'"secret":"' in text or any(value.startswith("@") for value in values)
