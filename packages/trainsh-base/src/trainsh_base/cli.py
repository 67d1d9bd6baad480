"""train-config: show and change the settings."""

from trainsh_base.tool import Tool

tool = Tool("config", "Show and change settings")


def main() -> None:
    """Run train-config."""
    tool.main()
