"""What is the next step of a run, and when is it over?"""
