"""Who is told what in a rehearsal, as it comes: messages, pages that come again, what nobody hears."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo

from planner.notices.known import NOBODY
from planner.record.notice import Notice, Urgency
from planner.rehearsal.story import Story
from planner.rehearsal.telling import Message
from planner.text.phrases import many, some


@dataclass(frozen=True, slots=True)
class Heard:
    """What one receiver hears: so many messages and notices, and the most messages on one day of its zone.

    `by_urgency` counts the messages by the loudest of what they tell, `again` those of the pages that only
    come again.
    """

    receiver: str
    messages: int
    notices: int
    by_urgency: Mapping[Urgency, int]
    again: int
    busiest: date
    most: int

    @property
    def busiest_day(self) -> str:
        """`Tue 1 Dec, 13 messages`."""
        return f"{self.busiest:%a} {self.busiest.day} {self.busiest:%b}, {many(self.most, 'message')}"


@dataclass(frozen=True, slots=True)
class Loud:
    """A notice that asks or pages: whom first, at `at` (aware UTC), and how it came again.

    `receiver` is empty where nobody hears it, `others` whom it escalated to, `last` when it came last.
    """

    at: datetime
    receiver: str
    scale_set: str
    notice: Notice
    again: int
    last: datetime
    others: tuple[str, ...]


def heard(story: Story, zone: tzinfo) -> list[Heard]:
    """Each receiver, the one that hears most first."""
    by: dict[str, list[Message]] = {}
    for message in _messages(story):
        by.setdefault(message.receiver, []).append(message)
    return sorted((_heard(name, sent, zone) for name, sent in by.items()), key=lambda one: -one.messages)


def unheard(story: Story) -> list[Notice]:
    """The notices that nobody hears."""
    return [told.notice for told in story.told if not told.receiver]


def loud(story: Story) -> list[Loud]:
    """What asks or pages, each once, in the order in which it came first; last what nobody hears."""
    came: dict[tuple[str, int], list[tuple[Message, Notice]]] = {}
    for message in _messages(story):
        for item in message.items:
            if item.notice.urgency is not Urgency.KNOW:
                key = item.scale_set, item.notice.number
                came.setdefault(key, []).append((message, item.notice))
    found = [_loud(scale_set, each) for (scale_set, _), each in came.items()]
    return sorted([*found, *_to_nobody(story)], key=lambda each: each.at)


def _messages(story: Story) -> Iterator[Message]:
    return (message for message in story.messages if message.receiver != NOBODY)


def _heard(receiver: str, sent: Sequence[Message], zone: tzinfo) -> Heard:
    days = Counter(each.at.astimezone(zone).date() for each in sent)
    busiest, most = max(days.items(), key=lambda one: (one[1], -one[0].toordinal()))
    return Heard(
        receiver,
        len(sent),
        sum(len(each.items) for each in sent),
        Counter(each.loudness for each in sent),
        sum(bool(each.items) and all(item.again for item in each.items) for each in sent),
        busiest,
        most,
    )


def _loud(scale_set: str, came: Sequence[tuple[Message, Notice]]) -> Loud:
    first, notice = came[0]
    others = dict.fromkeys(message.receiver for message, _ in came[1:] if message.receiver != first.receiver)
    last = came[-1][0].at
    return Loud(first.at, first.receiver, scale_set, notice, len(came) - 1, last, tuple(others))


def _to_nobody(story: Story) -> Iterator[Loud]:
    for told in story.told:
        if not told.receiver and told.notice.urgency is not Urgency.KNOW:
            yield Loud(told.at, "", told.scale_set, told.notice, 0, told.at, ())


def how_again(each: Loud, at: str) -> str:
    """How a page comes again, in a sentence; empty where it does not. `at` is the last time, in words."""
    if not each.again:
        return ""
    times = "once more, at" if each.again == 1 else f"{each.again} more times until"
    to = f", to {some(each.others)} as well" if each.others else ""
    return f"Nobody takes it at once: it comes {times} {at}{to}."
