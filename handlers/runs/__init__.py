"""What does one poll or plan of a run read and write beside its record?"""
