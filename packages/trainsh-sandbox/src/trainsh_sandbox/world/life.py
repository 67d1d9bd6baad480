"""The life of an instance, from its creation to its end, with all its failures."""

import threading
from typing import Any

from trainsh_base.errors import TrainError
from trainsh_sandbox.instances.instance import Instance
from trainsh_sandbox.instances.machine import Machine
from trainsh_sandbox.market.offers import Offer
from trainsh_sandbox.world.world import World

BOOT = 0.7  # seconds of the sandbox's time from the start of an instance until it runs
PULL = 0.3
SETTLE = 0.3  # seconds until the status shows a stop
PULL_ERROR = "Error response from daemon: manifest for {image} not found: manifest unknown: manifest unknown"
OCI_ERROR = (
    "Error response from daemon: failed to create task for container: OCI runtime create failed: runc create failed"
)


def create(world: World, offer: Offer, request: dict[str, Any]) -> Instance:
    """Rent the machine of an offer that was taken from the market, and boot the machine."""
    one = Instance(next(world.numbers), offer, request, world.now)
    one.listed_at = world.now + (world.faults.seconds("not-listed") or 0.0)
    ends = world.faults.seconds("expires-after")
    one.end_date = world.now + ends if ends else one.end_date
    one.key_rows = [dict(row) for row in world.account_keys]
    world.instances[one.id] = one
    return one


def boot(world: World, one: Instance) -> None:
    """Take an instance from loading to running, unless a fault prevents this."""
    one.run += 1
    one.queued = False
    one.set_states("running")
    one.message = ""
    if world.faults.hits("pull-error"):
        world.after(one, PULL, _fail, ("loading", PULL_ERROR.format(image=one.image)))
        return
    if world.faults.hits("oci-error"):
        world.after(one, PULL, _fail, ("created", OCI_ERROR))
        return
    world.after(one, PULL, _report, "loading")
    if world.faults.hits("stuck-loading"):
        return
    one.direct = not world.faults.hits("no-ports")
    if world.image is not None:
        refused = world.faults.hits("ssh-refused")
        direct = not refused and not world.faults.hits("direct-refused")
        due = world.now + (world.faults.seconds("boot-time") or BOOT)
        threading.Thread(target=_power_on, args=(world, one, due, direct, not refused), daemon=True).start()
    else:
        world.after(one, world.faults.seconds("boot-time") or BOOT, _runs)


def _power_on(world: World, one: Instance, due: float, direct: bool, proxy: bool) -> None:
    """Start the real machine. Then set the status to running, but not before the time `due`."""
    run = one.run
    try:
        with world.lock:
            machine = one.machine = one.machine or _machine(world, one)
            machine.authorize(one.ssh_keys())
        machine.start(direct=direct, proxy=proxy)
    except (TrainError, OSError) as error:
        with world.lock:
            if one.run == run:
                one.message = str(error)
        return
    with world.lock:
        world.settle()
        if one.run != run:  # the instance was stopped or destroyed in the meantime
            machine.stop()
            return
        world.after(one, max(0.0, due - world.now), _runs)


def _machine(world: World, one: Instance) -> Machine:
    assert world.image is not None
    offer = one.offer
    memory = offer["gpu_ram"] // (2 if world.faults.hits("falls-short") else 1)
    environment = {
        **{key: value for key, value in one.env.items() if not key.startswith("-")},
        "CONTAINER_ID": str(one.id), "CONTAINER_API_KEY": one.key, "VAST_CONTAINERLABEL": f"C.{one.id}",
        "PUBLIC_IPADDR": "127.0.0.1", "GPU_COUNT": str(offer["num_gpus"]), "DATA_DIRECTORY": "/workspace/",
        "SANDBOX_GPU": offer["gpu_name"], "SANDBOX_GPU_MEMORY": str(memory),
        "SANDBOX_DRIVER": offer["driver_version"], "SANDBOX_CUDA": str(offer["cuda_max_good"]), **world.environment,
    }  # fmt: skip
    machine = Machine(world.folder / str(one.id), world.image, world.folder.parent, f"C.{one.id}", environment)
    if one.onstart:
        script = machine.folder / "root" / "onstart.sh"
        script.write_text("#!/bin/bash\n" + one.onstart + "\n")
        script.chmod(0o755)
    return machine


def _report(_world: World, one: Instance, status: str) -> None:
    one.actual = status


def _fail(_world: World, one: Instance, argument: tuple[str, str]) -> None:
    one.actual, one.message = argument


def _runs(world: World, one: Instance, _argument: Any) -> None:
    one.actual = "running"
    one.message = f"success, running {one.image}/ssh"
    one.started = world.now
    one.usage.run(world.now, one.gpu_price)
    for name, action in (
        ("instance-dies-after", _crash), ("outbid-after", _outbid), ("host-lost-after", _lose_host),
        ("unknown-after", _lose_heartbeat),
    ):  # fmt: skip
        seconds = world.faults.seconds(name)
        if seconds is not None:
            world.after(one, seconds, action)
    world.after(one, one.end_date - world.now, _expire)


def _crash(_world: World, one: Instance, _argument: Any) -> None:
    """End the main process of an instance.

    The intended status stays running, the actual status becomes exited, and the GPU is still billed.
    """
    one.actual = "exited"
    _power_off(one)


def _outbid(world: World, one: Instance, _argument: Any) -> None:
    if one.bid is not None:
        stop(world, one, "outbid")


def _lose_host(world: World, one: Instance, _argument: Any) -> None:
    one.actual = "offline"
    one.usage.rest(world.now)
    _power_off(one)


def _lose_heartbeat(_world: World, one: Instance, _argument: Any) -> None:
    one.actual = "unknown"


def _expire(world: World, one: Instance, _argument: Any) -> None:
    stop(world, one, "the offer has ended")


def _power_off(one: Instance) -> None:
    if one.machine:
        one.machine.stop()


def stop(world: World, one: Instance, why: str = "") -> None:
    """Stop an instance. Its disk stays and is still billed. A start that waits in the queue is cancelled."""
    if one.intended == one.cur == "stopped" and not one.queued:
        return
    one.run += 1
    one.queued = False
    was_up = one.actual == "running"
    one.set_states("stopped")
    one.message = why
    one.usage.rest(world.now)
    _power_off(one)
    if one.actual not in (None, "exited", "stopped") or was_up:
        world.after(one, SETTLE + (world.faults.seconds("status-lag") or 0.0), _report, "exited")


def start(world: World, one: Instance) -> bool:
    """Start an instance again. Return False if its GPU is taken, so that the start waits in a queue."""
    if world.faults.hits("start-queued"):
        one.run += 1
        one.queued = True
        one.next = one.intended = "running"
        return False
    boot(world, one)
    return True


def release_queue(world: World) -> None:
    """Start the instances that wait for their GPUs."""
    for one in world.instances.values():
        if one.queued:
            boot(world, one)


def reboot(world: World, one: Instance, *, fresh: bool = False) -> None:
    """Restart the container of an instance.

    With `fresh`, which the call `recycle` uses, the container gets a new disk.
    """
    one.usage.rest(world.now)
    _power_off(one)
    if fresh and one.machine:
        one.machine.destroy()
        one.machine = None
    one.actual = "recycling" if fresh else "rebooting"
    boot(world, one)


def destroy(world: World, one: Instance) -> None:
    """Destroy an instance. Its disk is removed, and its machine is offered again."""
    one.run += 1
    one.cur = one.next = "unloaded"
    one.usage.end(world.now)
    world.ended.append((one.id, one.label, one.usage))
    del world.instances[one.id]
    machine, one.machine = one.machine, None
    if machine:
        machine.destroy()
    world.market.free(one.offer)


def authorize(world: World, one: Instance, row: dict[str, Any]) -> None:
    """Add a key to an instance after the delay that the service needs."""
    if all(row["public_key"] != have["public_key"] for have in one.key_rows):
        one.key_rows.append(row)
    world.after(one, world.faults.seconds("attach-delay") or 0.0, _write_keys)


def _write_keys(_world: World, one: Instance, _argument: Any) -> None:
    if one.machine:
        one.machine.authorize(one.ssh_keys())
