"""A fleet of scale sets that lives through waves of planned maintenance."""

from simulator.fleet.answers import Answer
from simulator.fleet.behaviour import Behaviour
from simulator.fleet.build import SUBSCRIPTION, flexible, uniform
from simulator.fleet.clock import VirtualClock
from simulator.fleet.fleet import Fleet
from simulator.fleet.model import Instance, Operation, ScaleSet
from simulator.fleet.waves import Wave, Window

__all__ = [
    "SUBSCRIPTION",
    "Answer",
    "Behaviour",
    "Fleet",
    "Instance",
    "Operation",
    "ScaleSet",
    "VirtualClock",
    "Wave",
    "Window",
    "flexible",
    "uniform",
]
