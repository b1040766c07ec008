"""What do people read: the sentences of checks, plans, waits, starts, instances, commands and endings?"""
