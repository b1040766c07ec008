"""Which run of a subscription goes when?"""
