"""What has become of each instance, by what Azure shows?"""
