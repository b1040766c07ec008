"""What a person lets go although it speaks against it, beside the names of scale sets that go first."""

ORDER = "the order itself"
"""What is waived when a person lets a run go ahead although its order has a problem."""


FIT = "the deadline"
"""What is waived when a person lets a run go ahead although its plan does not meet the deadline."""
