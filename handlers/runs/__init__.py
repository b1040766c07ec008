"""What does one poll of a run read and write beside its record?"""
