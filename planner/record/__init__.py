"""What is kept of a run, and what does one observation of Azure bring to it?"""
