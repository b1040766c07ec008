"""What does an engineer type, and what comes back?"""
