"""What does Azure show: scale sets, instances, waves, and what its refusals mean?"""
