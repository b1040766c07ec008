"""What a person can choose for a wave in which not every scale set has a place in time."""

from collections.abc import Iterable, Mapping, Sequence

from handlers.render.addresses import Addresses
from handlers.render.letter import Option
from planner.places.outlook import Outlook
from planner.record.command import CommandKind


def wave_choices(outlooks: Sequence[Outlook], tracking_id: str, addresses: Addresses) -> tuple[Option, ...]:
    """Each with its link and what to type; none where all have a place.

    Of several subscriptions each is named.
    """
    found = []
    for seen in outlooks:
        where = {"subscription": seen.subscription} if len(outlooks) > 1 else {}
        begin = f"Subscription {seen.subscription}: " if where else ""
        for sentence, action, to in _ways(seen) if seen.late else ():
            sent = {**to, **where}
            typed = addresses.choose_for_wave(tracking_id, action, sent)
            link = addresses.act_for_wave(tracking_id, action, sent, seen.checksum)
            found.append(Option(f"{begin}{sentence}", action, sent, typed, link))
    return tuple(found)


def _ways(seen: Outlook) -> Iterable[tuple[str, CommandKind, Mapping[str, str]]]:
    for key, number in seen.enough:
        sentence = f"Raise `{key}` to {number} until the wave is over: then all fit."
        yield sentence, CommandKind.RAISE, {key: str(number)}
    late = {"runs": "late"}
    if seen.any_time:
        sentence = "Drop the windows of those that do not fit, or write wider ones instead of `any time`."
        yield sentence, CommandKind.RAISE, {**late, "windows": "any time"}
    yield "Leave those that do not fit to Azure now.", CommandKind.SKIP, late
