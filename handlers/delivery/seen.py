"""What one poll of notify finds of a wave: the runs that somebody has to be told of, and the records."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from handlers.cloud.records import Listed
from handlers.waves import figures
from handlers.wire.documents import waves_of
from handlers.wire.messages import NoticeMessage
from handlers.wire.run_lines import paging
from handlers.wiring import Wiring
from planner.azure.wave import Wave
from planner.notices.delivery import behind
from planner.notices.known import NOBODY, Known, Page
from planner.policy.model import Policy


@dataclass(frozen=True, slots=True)
class Seen:
    """What one poll found of a wave: what is known of it, its listing, and the ETags of what was told."""

    message: NoticeMessage
    waves: tuple[Wave, ...]
    listed: Mapping[str, Listed]
    known: Known
    etags: Mapping[str, str]


async def see(message: NoticeMessage, members: Sequence[Listed], policy: Policy, wiring: Wiring) -> Seen:
    """Read what is untold, on its way, or pages. Raises what storage raises."""
    tracking_id = message.tracking_id
    stored = [found async for found in wiring.deliveries.of_wave(tracking_id)]
    told_here = {line.path: line for line in members if waves_of(line.metadata)[0] == tracking_id}
    last_notices = {path: int(line.metadata.get("last_notice", "0")) for path, line in told_here.items()}
    wanted = {*behind((delivery for delivery, _ in stored), last_notices)}
    wanted |= {path for path, line in told_here.items() if "page" in line.metadata}
    for delivery, _ in stored:
        for state in delivery.channels.values():
            wanted |= state.sending.runs if state.sending else frozenset()
            wanted |= {path for path, paged in state.paged.items() if paged.escalated}
    waves = await wiring.waves.of(tracking_id)
    counts = figures.overview(waves, {line.path: line for line in members})
    runs = await wiring.runs.read_listed([told_here[path] for path in sorted(wanted & told_here.keys())])
    deliveries = {delivery.receiver.lower(): delivery for delivery, _ in stored}
    known = Known(wiring.now(), policy, counts, runs, deliveries, dict(_pages(told_here)))
    etags = {delivery.receiver.lower(): etag for delivery, etag in stored}
    return Seen(message, waves, told_here, known, etags)


def _pages(listed: Mapping[str, Listed]) -> Iterator[tuple[str, Page]]:
    for path, line in listed.items():
        if (page := paging(line.metadata)) is not None:
            yield path, Page(unquote(line.metadata.get("receiver", "")) or NOBODY, *page)
