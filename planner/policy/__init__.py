"""What does the team want: the rules that hold for one scale set?"""
