"""Runs the steps `source -> destination`."""

from typing import Any

from trainsh_base.system.units import format_size
from trainsh_recipe.engine.attempt import Attempt
from trainsh_recipe.engine.machines import Machines
from trainsh_recipe.engine.outcome import Outcome
from trainsh_recipe.engine.outside.view import View
from trainsh_recipe.engine.values import Values
from trainsh_recipe.plan.document import Endpoint, Transfer

PATIENCE = 60.0  # seconds for which a copy is tried again after its connection was lost


class TransferExecutor:
    """Has train-xfer copy files. The request may be repeated, because files already there are not copied again."""

    def __init__(self, values: Values, cwd: str, view: View, machines: Machines) -> None:
        self._values, self._cwd, self._view, self._machines = values, cwd, view, machines

    def run(self, at: Attempt, step: Transfer) -> Outcome:
        """Copy the files. The outcome has the number of copied bytes."""
        values, options = self._values, step.options
        hosts, storages = {}, {}
        for end in (step.source, step.destination):
            if end.host:
                hosts[end.host] = values.host(end.host)
                self._machines.learn(end.host, hosts[end.host])
            if end.storage:
                storages[end.storage] = values.storage(end.storage)
        params: dict[str, Any] = {
            "source": self._endpoint(step.source), "destination": self._endpoint(step.destination),
            "hosts": hosts, "storages": storages, "cwd": self._cwd,
            "source_quoted": not step.source.expand, "destination_quoted": not step.destination.expand,
            **{
                name: [values.plain(each) for each in getattr(options, name)]
                for name in ("exclude", "include", "exclude_from")
            },
        }  # fmt: skip
        for flag in ("delete", "checksum", "verify", "move", "dry_run", "as_is", "gitignore"):
            if values.truth(getattr(options, flag)):
                params[flag] = True
        required = values.truth(options.required)
        if required:
            params["verify"] = True
        if options.bwlimit is not None:
            params["bwlimit"] = values.plain(options.bwlimit)
        if options.jobs is not None:
            params["jobs"] = values.count(options.jobs)
        limit = values.seconds(options.timeout)
        answer = at.ask("xfer", "copy", params, limit, patience=(limit or PATIENCE) if at.reached else 0.0)
        for warning in answer.get("warnings", []):
            self._view.log(f"warning: {warning}")
        for change in answer.get("changes", []):
            at.output(f"{change['action']:<10} {change['path']}\n")
        files = answer.get("files", 0)
        said = f"{files} file{'' if files == 1 else 's'}, {format_size(answer.get('bytes', 0))}"
        arrived = required and not params.get("dry_run", False)
        return Outcome(
            status="ok", bytes=answer.get("bytes", 0), reason=said, more={"arrived": True} if arrived else {}
        )

    def _endpoint(self, end: Endpoint) -> str:
        """Return an endpoint in train-xfer's syntax.

        A local path is written so that train-xfer does not take it for a path on a host.
        """
        path = self._values.plain(end.path)
        if end.host or end.storage:
            return f"@{end.host or end.storage}:{path}"
        return f"./{path}" if ":" in path.partition("/")[0] or path.startswith("@") else path
