"""Which scale sets does a wave concern, and what is known of them all?"""
