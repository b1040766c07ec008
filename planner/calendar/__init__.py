"""When may something start: windows less freezes?"""
