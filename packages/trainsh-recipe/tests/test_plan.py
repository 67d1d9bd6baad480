"""The plan: plans of another version are refused, and the reader's types match train-dsl's schema."""

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from trainsh_base.errors import UsageError
from trainsh_recipe.plan import document
from trainsh_recipe.plan.document import Plan, read

SCHEMA = Path(__file__).resolve().parents[2] / "trainsh-dsl/src/trainsh_dsl/document/plan.schema.json"
STEP = {"kind": "sleep", "text": "sleep 1", "span": {"line": 1}, "seconds": 1.0, "options": {}}


def plan(**changes: Any) -> dict[str, Any]:
    return {"version": 1, "name": "n", "steps": [STEP]} | changes


def test_a_plan_of_this_version_is_read() -> None:
    assert read(plan()).steps[0].text == "sleep 1"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (plan(version=2), "version is 2"), (plan(version=None), "version is None"), ([], "version is None"),
        (plan(matrix=[]), "matrix"), (plan(steps=[STEP | {"cache": True}]), "cache"),
        (plan(steps=[STEP | {"options": {"parallelism": 4}}]), "parallelism"),
        (plan(steps=[STEP | {"kind": "teleport"}]), "teleport"),
    ],
)  # fmt: skip
def test_a_newer_plan_is_refused(changed: Any, said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)) as caught:
        read(changed)
    assert caught.value.code == "newer_plan" and caught.value.exit_status == 2


def fields(kind: type) -> set[str]:
    return {field.encode_name for field in msgspec.structs.fields(kind)}


def test_the_reader_knows_every_field_that_the_writer_may_send() -> None:
    schema = json.loads(SCHEMA.read_text())["$defs"]
    readers: dict[str, type] = {name: getattr(document, name, None) for name in schema}  # type: ignore[misc]
    readers |= {"Host": document.Place, "Storage": document.Place}
    readers |= {name: document.Options for name in schema if name.endswith("Options")}
    unknown = {
        f"{name}.{field}" for name, entry in schema.items() if name != "Plan"
        for field in entry["properties"] if field != "kind" and field not in fields(readers[name])
    }  # fmt: skip
    assert unknown == set()
    assert set(schema["Plan"]["properties"]) == fields(Plan)
