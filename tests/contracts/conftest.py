"""What the contracts share with the tests of the commands."""

from tests.handlers.cli.snapshots import snapshot_of_the_demo

__all__ = ["snapshot_of_the_demo"]
