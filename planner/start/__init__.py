"""May a batch start now, and what did Azure answer?"""
