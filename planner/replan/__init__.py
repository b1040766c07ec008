"""How does a new plan become a run or join the one under way?"""
