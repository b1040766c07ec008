"""A world that answers wrongly instead of failing: every lie by itself, by a seed, for tests and demo alike.

What stays true, because the product's protocols rest on it (`simulator.lies.memory` keeps it): of a thing that
exists, two looks at least one poll apart and one direct read never agree that it is gone, and a direct read does
not answer 404 twice; a view is at most two minutes old; what Azure takes, its operation tells in the end.
"""

from simulator.lies.catalogue import CATALOGUE, Lie
from simulator.lies.liar import Instead, Liar
from simulator.lies.lies import Lies

__all__ = ["CATALOGUE", "Instead", "Liar", "Lie", "Lies"]
