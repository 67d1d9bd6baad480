"""Calls about one instance: read, start, stop, label, reboot, destroy, bid, logs, commands."""

import hashlib
import shlex
import subprocess
from typing import Any

from trainsh_sandbox.api.answers import Answer, Refused, no_such_instance
from trainsh_sandbox.api.call import Call
from trainsh_sandbox.instances.instance import Instance
from trainsh_sandbox.instances.row import row
from trainsh_sandbox.world import life

QUEUED = "Required resources are currently unavailable, state change queued."


def found(call: Call, number: int | None = None) -> Instance:
    """The instance in the path. Raises Refused with status 404 when there is no such instance."""
    number = call.number if number is None else number
    one = call.world.instances.get(number)
    if one is None:
        raise no_such_instance(number)
    return one


def read(call: Call) -> Answer:
    """Answer GET /instances/ID/ with the instance, or with null if it does not exist any more.

    The object has no `volume_info`.
    """
    one = call.world.instances.get(call.number)
    if one is None:
        return Answer({"instances": None})
    whole = row(one, call.world.now)
    whole.pop("volume_info")
    return Answer({"instances": whole})


def change(call: Call) -> Answer:
    """Answer PUT /instances/ID/: set a state or a label."""
    one = found(call)
    label = call.body.get("label")
    if label is not None:
        if len(str(label)) > 1024:
            raise Refused(400, "label_too_long", "label is longer than 1024 characters")
        one.label = str(label) or None
        return Answer({"success": True, "msg": f"label updated to {label}"})
    return _set_state(call, one, call.body.get("state"))


def _set_state(call: Call, one: Instance, state: Any) -> Answer:
    world = call.world
    if state not in ("running", "stopped"):
        raise Refused(400, "invalid_args", "state must be running or stopped")
    if world.faults.hits("success-false"):
        return Answer({"success": False, "error": "server_error", "msg": "please try again"})
    if state == "stopped":
        if not world.faults.hits("stop-ignored"):
            life.stop(world, one)
        return Answer({"success": True})
    if world.is_broke:
        raise Refused(400, "insufficient_credit", "Your account lacks credit; see the billing page.")
    if one.end_date <= world.now:
        raise Refused(400, "invalid_args", "the offer of this instance has ended")
    if one.actual == "running" and one.intended == "running":
        return Answer({"success": True})
    if not life.start(world, one):
        return Answer({"success": False, "msg": QUEUED})
    return Answer({"success": True})


def change_many(call: Call) -> Answer:
    """Answer PUT /instances/: set the state of several instances."""
    for number in call.body.get("ids") or []:
        _set_state(call, found(call, int(number)), call.body.get("state"))
    return Answer({"success": True})


def destroy(call: Call) -> Answer:
    """Answer DELETE /instances/ID/: destroy an instance."""
    life.destroy(call.world, found(call))
    return Answer({"success": True, "msg": "instance destroyed"})


def destroy_many(call: Call) -> Answer:
    """Answer DELETE /instances/: destroy several instances."""
    for number in call.body.get("instance_ids") or []:
        life.destroy(call.world, found(call, int(number)))
    return Answer({"success": True})


def reboot(call: Call) -> Answer:
    """Answer PUT /instances/reboot/ID/ and /recycle/ID/: restart an instance."""
    life.reboot(call.world, found(call, int(call.groups[1])), fresh=call.groups[0] == "recycle")
    return Answer({"success": True})


def bid(call: Call) -> Answer:
    """Answer PUT /instances/bid_price/ID/: change a bid.

    If the price is null, the server chooses a bid that wins.
    """
    one = found(call)
    price = call.body.get("price")
    lowest = float(one.offer["min_bid"])
    price = lowest if price is None else float(price)
    if not 0.001 <= price <= 32 * one.offer["num_gpus"]:
        raise Refused(400, "invalid_price", "price is out of range")
    was_running = one.actual == one.intended == "running"
    one.bid = price
    if was_running:
        one.usage.run(call.world.now, price)
        if price < lowest:
            life.stop(call.world, one, "outbid")
    elif price >= lowest:
        life.boot(call.world, one)
    return Answer({"success": True, "price": price})


def logs(call: Call) -> Answer:
    """Answer PUT /instances/request_logs/ID/ with the URL at which the log will appear."""
    one = found(call)
    lines = _log(one).splitlines()
    word = call.body.get("filter")
    lines = [line for line in lines if str(word) in line] if word else lines
    tail = int(call.body.get("tail") or 1000)
    return _result(call, one, "\n".join(lines[-tail:]) + "\n")


def _log(one: Instance) -> str:
    text = f"{one.message or one.actual or 'created'}\n"
    if one.machine:
        file = one.machine.folder / "tmp" / "onstart.log"
        text += file.read_text(errors="replace") if file.exists() else ""
    return text


def _result(call: Call, one: Instance, text: str, **more: Any) -> Answer:
    name = hashlib.sha256(f"{one.id} {call.world.now}".encode()).hexdigest()[:32] + ".log"
    call.world.logs[name] = (text, 40 if call.world.faults.hits("logs-late") else 1)
    return Answer({"success": True, "result_url": f"{call.base}/instance_logs/{name}", "msg": "Loading...", **more})


def log_text(call: Call) -> Answer:
    """Answer GET for the URL of a log. The first requests are refused, and later ones get the text."""
    name = call.groups[0]
    text, left = call.world.logs.get(name, ("", 1))
    if left:
        if name in call.world.logs:
            call.world.logs[name] = (text, left - 1)
        return Answer("<Error><Code>AccessDenied</Code></Error>", 403, {"Content-Type": "application/xml"})
    return Answer(text, 200, {"Content-Type": "text/plain"})


def command(call: Call) -> Answer:
    """Answer PUT /instances/command/ID/: run ls, du or rm on the instance's disk, even while the instance is
    stopped.
    """
    one = found(call)
    words = shlex.split(str(call.body.get("command") or ""))
    if not words or words[0] not in ("ls", "du", "rm") or one.machine is None:
        raise Refused(400, "invalid_args", "only ls, rm and du are allowed")
    base = str(one.machine.folder.resolve())
    paths = [f"{base}/{word.lstrip('/')}" if not word.startswith("-") else word for word in words[1:]]
    if any(".." in word for word in words[1:]):
        raise Refused(400, "invalid_args", "no .. in a path")
    done = subprocess.run([words[0], *paths], capture_output=True, text=True, check=False, cwd=base)
    return _result(call, one, done.stdout + done.stderr, writeable_path=base)
