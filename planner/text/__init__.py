"""How are moments, lengths of time and names said, and how do repeated waits grow?"""
