"""How often a message is sent again that did not fail by itself, and when."""

from datetime import timedelta
from typing import Final

MOST: Final = 5
"""How often a message is sent again when no failure of it is known; one that kills its process must end."""

CUT_WAIT: Final = timedelta(seconds=30)
"""When what was cut short is taken up again: what it waited for may be back by then."""
