"""What does one look at a run read and write beside its record?"""
