"""How long has a run stood still, and who is told when?"""
