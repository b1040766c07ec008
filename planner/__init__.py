"""What should happen: decides, schedules and advances. Standard library only, no I/O, time is an argument."""
