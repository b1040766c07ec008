"""Who goes down together and when, does it fit, and what would make it fit?"""
