"""Which states are there, and what is written down when one changes?"""
