"""What a tool's schema tells about its commands, apart from their parameters."""

from typing import Annotated

from trainsh_base.system.units import Duration
from trainsh_base.tool.declare import Arg, Opt, Tool
from trainsh_base.tool.schema import describe


def test_a_provider_says_what_its_commands_mean() -> None:
    tool = Tool("shed", "Machines in a shed", provides=("hosts",))

    @tool.command(ensures=True, fills="host", rents=True)
    def pick(
        host: Annotated[str, Arg("name to bind", kind="host")],
        limit: Annotated[float | None, Opt("price an hour", kind="money")] = None,
        max_cost: Annotated[float | None, Opt("in all", kind="money", limits=True)] = None,
        hold: Annotated[Duration | None, Opt("kept after a failure", kind="duration", holds=True)] = None,
    ) -> None:
        """Rent a machine."""

    @tool.command(estimates="pick")
    def estimate() -> None:
        """Tell what it would cost."""

    @tool.command(releases="billing")
    def stop() -> None:
        """Stop the machine."""

    schema = describe(tool)
    assert schema["provides"] == ["hosts"]
    effects = {key: schema["commands"]["pick"][key] for key in ("ensures", "fills", "rents")}
    assert effects == {"ensures": True, "fills": "host", "rents": True}
    assert "releases" not in schema["commands"]["pick"]
    assert schema["commands"]["stop"]["releases"] == "billing" and schema["commands"]["stop"]["ensures"] is False
    assert schema["commands"]["estimate"]["estimates"] == "pick" and "estimates" not in schema["commands"]["stop"]
    properties = schema["commands"]["pick"]["params"]["properties"]
    flags = {
        key: [flag for flag in ("x-limits", "x-holds") if entry.get(flag)] for key, entry in properties.items()
    }
    assert flags == {"host": [], "limit": [], "max_cost": ["x-limits"], "hold": ["x-holds"]}
    kinds = {
        name: entry.get("x-kind") for name, entry in schema["commands"]["pick"]["params"]["properties"].items()
    }
    assert kinds == {"host": "host", "limit": "money", "max_cost": "money", "hold": "duration"}
