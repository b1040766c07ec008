"""How does a message reach a receiver once?"""
