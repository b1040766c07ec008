"""What did a person say, and what does it change?"""
