"""`make demo`: a wave through the real parts, in about a minute."""
