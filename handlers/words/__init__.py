"""What do people read of handlers: pages of links, answers to requests, and notices about no run?"""
