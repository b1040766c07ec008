"""What is written down when something happens to a run?"""
