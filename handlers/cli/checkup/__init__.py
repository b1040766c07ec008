"""What keeps Breakwater from working, and which command mends it?"""
