"""What is said of places under the limits: who fits, whose turn it is, and whose it is not yet."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from planner.text.phrases import many, say, some
from planner.words.standing_still import CAUSES

NAMED_LATE = 5
"""Scale sets without a place that a sentence names."""

NAMED_RUNS = 3
"""Runs that a sentence names."""

WIDER_WINDOWS = "wider windows"


def number(key: str, value: int) -> str:
    """A limit as it is written in the policy."""
    return f"`{key}: {value}`"


def all_fit(scale_sets: int, done_by: datetime | None) -> str:
    who = "the last " if scale_sets > 1 else ""
    last = f", {who}done by {say(done_by)}" if done_by is not None else ""
    return f"{many(scale_sets, 'scale set fits', 'scale sets fit')} before the deadline{last}."


def some_late(late: Sequence[str], in_time: int, limits: Mapping[str, int], ways: Sequence[str]) -> str:
    """Who does not fit, beside how many that do; `ways` would make room, each alone."""
    rest = f"; {many(in_time, 'other fits', 'others fit')}" if in_time else ""
    room = f" To make room: {' or '.join(ways)}." if ways else ""
    under = ", ".join(number(key, value) for key, value in limits.items())
    return (
        f"{many(len(late), 'scale set does', 'scale sets do')} not fit before the deadline under "
        f"`limits` ({under}): {some(late, most=NAMED_LATE)}{rest}.{room} "
        "What does not start in time is left to Azure."
    )


def raised_limits(actor: str, numbers: Mapping[str, int], comment: str) -> str:
    what = ", ".join(f"`{key}` to {value}" for key, value in numbers.items())
    return f"{actor} raised {what}{f': {comment}' if comment else '.'}"


def no_place(stuck: Iterable[str]) -> str:
    """No place gets free, while those that are `stuck` keep theirs."""
    names = sorted(stuck)
    why = f" while {some(names, most=NAMED_RUNS)} needs action" if names else ""
    return f"No place in the queue will be free for it{why}."


def its_turn(ahead: Sequence[str], at: datetime) -> str:
    who = f" after {some(ahead, most=NAMED_RUNS)}" if ahead else ""
    return f"Number {len(ahead) + 1} in the queue{who}: its turn is expected at {say(at)}."


def goes_ahead_of(passed: Sequence[tuple[str, str]], more: int) -> str:
    """Those that would come before it, each with what keeps it from going; so many `more` are not named."""
    rest = f" and {more} more" if more > 0 else ""
    return f"Ahead of {', '.join(f'{name} ({why})' for name, why in passed)}{rest}."


def paused(name: str, location: str, reason: str) -> str:
    return f"{name} ({location}) is paused: {reason}"


def let_them_pass(named: Sequence[str], more: int) -> str:
    """What to do about paused runs that take up the limits; so many `more` are not named."""
    rest = f" And {more} more {'is' if more == 1 else 'are'} paused." if more > 0 else ""
    return f"{' '.join(named)}{rest} Say `let-pass` to it, and the others go first."


WAITS_FOR_APPROVAL = "waits for approval"
IS_PAUSED = "is paused"
NO_WINDOW_LEFT = "has no window left"
NO_PLACE_FOR_IT = "no place will be free for it"


def held_up_by(cause: str | None) -> str:
    """`cause` may be one of a newer version, or none may be known."""
    return f"is held up by {CAUSES[cause]}" if cause in CAUSES else "cannot start yet"


def may_start_from(at: datetime) -> str:
    return f"may start from {say(at)}"


def place_free_at(at: datetime) -> str:
    return f"its place is free at {say(at)}"


def limit_reached(under_way: str, key: str, most: int) -> str:
    """`under_way` is one of the following."""
    return (
        f"{under_way}, and `limits.{key}` allows {most}. "
        "Raise it in the policy file, or for the wave, to go faster."
    )


def scale_sets_under_way(scale_sets: int) -> str:
    return _under_way(scale_sets, "scale set")


def regions_under_way(regions: Iterable[str]) -> str:
    names = sorted(regions)
    return f"{_under_way(len(names), 'region')} ({', '.join(names)})"


def under_way_in(scale_sets: int, region: str) -> str:
    return _under_way(scale_sets, "scale set", f"in {region}")


def under_way_under(scale_sets: int, limit: str) -> str:
    return _under_way(scale_sets, "scale set", f"under `{limit}`")


def _under_way(count: int, what: str, where: str = "of this subscription") -> str:
    return f"{many(count, what)} {where} {'is' if count == 1 else 'are'} under way"
