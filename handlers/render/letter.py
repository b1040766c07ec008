"""What a message says, before it is a card, a mail or JSON: the same words for every channel."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from handlers.render.moments import Clock
from planner.azure.wave import Wave
from planner.notices.digest import Overview
from planner.places.outlook import Outlook
from planner.record.notice import Notice, Urgency
from planner.record.run import Run


@dataclass(frozen=True, slots=True)
class Line:
    """One scale set in a part of the digest; `checks` are the sentences of those that stand out.

    `times` says when it should start and end, in a sentence, `begins` and `ends` are those times (aware UTC),
    which its people read by `clock`.
    """

    name: str
    where: str
    text: str
    checked: str = ""
    checks: tuple[str, ...] = ()
    times: str = ""
    begins: datetime | None = None
    ends: datetime | None = None
    clock: Clock | None = None

    @property
    def said(self) -> str:
        return f"{self.text} {self.times}".strip()


@dataclass(frozen=True, slots=True)
class Part:
    """Scale sets to which the same will happen."""

    heading: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """Something the reader may do: a link where links are signed, and what to type."""

    label: str
    command: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class Option:
    """Something that would make a plan or a wave fit: what comes of it, what is sent, what to type for it."""

    sentence: str
    word: str
    to: Mapping[str, str]
    command: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """One notice about one scale set; what can be done and how the plan stands only with the last one.

    `headline` is what is asked or happened, `by` until when to answer or how it stands, `gist` the lines that
    say what happens, `otherwise` what does if nobody answers, `why` why it comes now. `brief` is what a list
    says where many scale sets say the same; empty when it asks for something. `kind`, `urgency` and
    `scale_set` (its ARM id) are for machines.
    """

    word: str
    symbol: str
    name: str
    where: str
    at: str
    sentence: str
    headline: str = ""
    by: str = ""
    gist: tuple[str, ...] = ()
    why: str = ""
    down: tuple[str, ...] = ()
    serving: str = ""
    otherwise: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    checks: tuple[str, ...] = ()
    choices: tuple[Option, ...] = ()
    answers: tuple[Answer, ...] = ()
    page: str = ""
    portal: str = ""
    brief: str = ""
    kind: str = ""
    urgency: str = ""
    scale_set: str = ""


@dataclass(frozen=True, slots=True)
class Letter:
    """A whole message. `urgency`, `kind` and the ids are for machines, everything else is for people.

    `title` is what is asked or happened, `by` until when to answer, `sentence` what happens, `why` why it
    comes now. `choices` are for the wave, those of its events for one scale set. `feed` is where the
    receiver's own calendar can be subscribed to, `calendar` what a mail brings along of it (iCalendar).
    """

    tracking_id: str
    kind: str
    urgency: Urgency
    symbol: str
    word: str
    title: str
    sentence: str
    subject: str = ""
    by: str = ""
    why: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    choices: tuple[Option, ...] = ()
    events: tuple[Event, ...] = ()
    parts: tuple[Part, ...] = ()
    remarks: tuple[str, ...] = ()
    stop: str = ""
    report: str = ""
    health: str = ""
    feed: str = ""
    calendar: bytes = b""


WHOLE = frozenset(
    {"command", "link", "page", "portal", "report", "feed", "health", "word", "kind", "urgency", "scale_set"}
)
"""Fields whose text is no prose: addresses, what is typed, words that machines read."""


def each_text(value: Any, change: Callable[[str, str], str], name: str = "") -> Any:
    """The letter or a part of it with every text that people read changed; `change` gets its field, too."""
    if isinstance(value, Urgency | datetime):
        return value
    if isinstance(value, str):
        return change(name, value)
    if isinstance(value, tuple):
        return tuple(each_text(one, change, name) for one in value)
    if isinstance(value, Letter | Event | Option | Answer | Part | Line):
        names: Collection[str] = {field.name for field in fields(value)} - WHOLE
        return replace(value, **{name: each_text(getattr(value, name), change, name) for name in names})
    return value


@dataclass(frozen=True, slots=True)
class Story:
    """What there is to tell one receiver: the notices with their runs, and the wave as it stands.

    `ended` holds the receiver's runs when the wave is finished and that is told, too. `paged`: the wave has
    paged about its emergency before, so that plans that would page only inform. `outlooks` say who has a
    place in the queue.
    """

    tracking_id: str
    waves: tuple[Wave, ...]
    items: tuple[tuple[Run, Notice], ...]
    overview: Overview
    ended: tuple[Run, ...] = ()
    paged: bool = False
    outlooks: tuple[Outlook, ...] = ()
