"""What does somebody see who opens an address: a wave, a run, or what a link would do?"""
