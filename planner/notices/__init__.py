"""Who is told what of a wave, once?"""
