"""The Azure Resource Manager face of a simulated fleet."""

from simulator.arm.faults import Bucket, Faults
from simulator.arm.server import ArmServer, serve

__all__ = ["ArmServer", "Bucket", "Faults", "serve"]
