"""What failed, why, and when is it tried again?"""
