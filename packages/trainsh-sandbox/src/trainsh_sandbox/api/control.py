"""Calls that the real service does not have. `train sandbox` and tests use them.

They set faults, change time and money, and create many instances.
"""

from trainsh_sandbox.api.answers import Answer
from trainsh_sandbox.api.call import Call
from trainsh_sandbox.world import life


def status(call: Call) -> Answer:
    """Answer GET /sandbox/status with the state of the sandbox."""
    world = call.world
    return Answer({
        "time": world.now, "speed": world.clock.speed, "offers": len(world.market.offers), "credit": world.credit,
        "spent": world.spent,
        "faults": {one["name"]: one["value"] for one in world.faults.listed() if one["value"] != "off"},
        "instances": [
            {"id": one.id, "status": one.actual, "label": one.label, "gpu": one.offer["gpu_name"],
             "gpu_billed": one.usage.runs, "per_hour": round(one.usage.rate, 6)}
            for one in world.instances.values()
        ],
    })  # fmt: skip


def faults(call: Call) -> Answer:
    """Answer PUT /sandbox/faults: set faults.

    The body maps NAME to value; the single name `off` clears all faults.
    """
    for name, value in call.body.items():
        if name == "off":
            call.world.faults.clear()
        else:
            call.world.faults.set(name, str(value))
    if not call.world.faults.is_on("start-queued"):
        life.release_queue(call.world)
    return Answer(call.world.faults.listed())


def advance(call: Call) -> Answer:
    """Answer POST /sandbox/advance: move the clock forward at once."""
    call.world.clock.advance(float(call.body["seconds"]))
    return Answer({"time": call.world.settle()})


def money(call: Call) -> Answer:
    """Answer POST /sandbox/credit: add an amount to the credit. A negative amount reduces the credit."""
    call.world.pay_in(float(call.body["amount"]))
    return Answer({"credit": call.world.credit})


def traffic(call: Call) -> Answer:
    """Answer POST /sandbox/traffic: record bytes that an instance has sent and received."""
    usage = call.world.instances[int(call.body["id"])].usage
    usage.up += int(call.body.get("up") or 0)
    usage.down += int(call.body.get("down") or 0)
    return Answer({"cost": usage.cost(call.world.now)})


def crowd(call: Call) -> Answer:
    """Answer POST /sandbox/crowd: create many running instances without a machine behind them."""
    world = call.world
    made = []
    for number in list(world.market.offers)[: int(call.body["count"])]:
        offer = world.market.take(number)
        assert offer is not None
        one = life.create(world, offer, {"image": "crowd", "disk": 10, "label": call.body.get("label")})
        one.actual, one.started = "running", world.now
        one.usage.run(world.now, one.gpu_price)
        made.append(one.id)
    return Answer({"ids": made})
