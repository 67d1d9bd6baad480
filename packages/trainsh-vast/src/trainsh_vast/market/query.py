"""Vast.ai's query language: `gpu_name=RTX_4090 num_gpus>=2 geolocation in [US,CA]`."""

import re
from typing import Any

from trainsh_base.errors import UsageError

OPERATORS = {
    "=": "eq",
    "==": "eq",
    "eq": "eq",
    "!=": "neq",
    "neq": "neq",
    ">": "gt",
    "gt": "gt",
    ">=": "gte",
    "gte": "gte",
    "<": "lt",
    "lt": "lt",
    "<=": "lte",
    "lte": "lte",
    "in": "in",
    "notin": "notin",
    "nin": "notin",
    "not in": "notin",
}
ALIASES = {
    "dph": "dph_total",
    "cuda_vers": "cuda_max_good",
    "dlperf_usd": "dlperf_per_dphtotal",
    "flops_usd": "flops_per_dphtotal",
    "display_active": "gpu_display_active",
    "id": "ask_contract_id",
    "reliability2": "reliability",
    "gpu_totalram": "gpu_total_ram",
}
# The factors that convert a value to the units of the service. A GB has 1000 MB here. Durations are given in days,
# and become seconds.
MULTIPLIERS = {"gpu_ram": 1000.0, "gpu_total_ram": 1000.0, "cpu_ram": 1000.0, "duration": 86400.0}
ANYTHING = ("any", "*", "?")
_TERM = re.compile(
    r"""\s*(?P<field>[A-Za-z_]\w*)\s*
        (?P<op>>=|<=|!=|==|=|>|<|(?<=\s)(?:not\s+in|notin|nin|in|neq|eq|gte|gt|lte|lt)(?=[\s\[]))\s*
        (?P<value>\[[^\]]*\]|"[^"]*"|[^\s\[\]"<>=!][^\s\[\]"]*)(?=\s|$)""",
    re.VERBOSE,
)
Filters = dict[str, dict[str, Any]]


def parse(text: str) -> Filters:
    """Parse a query into a filter object.

    A field that may have any value (`any`) gets the filter `{}`. Raises UsageError for a syntax error.
    """
    filters: Filters = {}
    at = 0
    while text[at:].strip():
        term = _TERM.match(text, at)
        if term is None:
            raise UsageError(
                f"cannot read the query at {text[at:].strip()[:40]!r}",
                "write FIELD OPERATOR VALUE, such as: gpu_name=RTX_4090 num_gpus>=2 geolocation in [US,CA]",
                code="bad_query",
            )
        at = term.end()
        field = ALIASES.get(term["field"], term["field"])
        operator = OPERATORS[re.sub(r"\s+", " ", term["op"])]
        if operator == "eq" and term["value"] in ANYTHING:
            filters[field] = {}
        else:
            filters.setdefault(field, {})[operator] = _value(field, operator, term["value"])
    return filters


def _value(field: str, operator: str, text: str) -> Any:
    if operator in ("in", "notin"):
        words = text.strip("[]").split(",")
        return [_single(field, word.strip()) for word in words if word.strip()]
    return _single(field, text)


def _single(field: str, text: str) -> Any:
    text = text.strip('"')
    if field == "driver_version":
        parts = [*(int(part) for part in re.findall(r"\d+", text)[:3]), 0, 0][:3]
        return parts[0] * 1_000_000 + parts[1] * 1000 + parts[2]
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    if text.lower() in ("none", "null"):
        return None
    try:
        number = float(text)
    except ValueError:
        return text.replace("_", " ")
    number *= MULTIPLIERS.get(field, 1.0)
    return int(number) if number.is_integer() else number
