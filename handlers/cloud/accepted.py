"""What is known of a start that was accepted."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Accepted:
    """Azure accepted a start; `operation` is the URL of its operation, empty when it finished at once."""

    operation: str
