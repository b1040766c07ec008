"""Where are runs, waves and deliveries read, written and archived, each under its ETag?"""
