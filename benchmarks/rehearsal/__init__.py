"""What does a whole wave cost, from its alert to the end of its self-service window?"""
