"""Is maintenance of this scale set started by us or left to Azure, and why?"""
