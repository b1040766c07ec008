"""What is said of drills: that they are one, and what is none."""

PLAYED = "This is a drill: its instances are invented, and nothing of it reaches Azure."


def do_not_belong_together(tracking_id: str, subscription: str, prefix: str) -> str:
    """`prefix` is how the tracking ids of drills begin."""
    return (
        f"{tracking_id} and subscription {subscription} do not belong together: tracking ids that begin with "
        f"{prefix} are those of drills, and a drill has a subscription of its own."
    )
