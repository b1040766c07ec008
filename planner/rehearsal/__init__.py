"""How would a wave come out on this fleet, and what if things went wrong?"""
