"""Where the figures of the README come from. Each module prints its own."""
