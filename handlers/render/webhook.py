"""A letter for machines: the data of the event that a webhook gets (docs/webhooks.md).

A machine gets every notice and every scale set; people read what is alike once.
"""

from dataclasses import asdict, dataclass
from typing import Annotated, Any

from pydantic import Field

from handlers.render.letter import Event, Letter, Option
from handlers.render.vocabulary import STANDALONE
from planner.record.notice import Kind, Urgency

KINDS = ("announced", "finished", *(kind.value for kind in Kind if kind is not Kind.PLANNED), *STANDALONE)
"""What a message can be: a wave's beginning or end, one of its notices, or about no scale set at all."""


@dataclass(frozen=True, slots=True)
class DigestLine:
    """What will happen to one scale set; `checks` are the sentences of those that stand out."""

    name: str
    where: str
    text: str
    checked: str
    checks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DigestPart:
    """Scale sets to which the same will happen."""

    heading: str
    lines: tuple[DigestLine, ...]


@dataclass(frozen=True, slots=True)
class Data:
    """One message to one receiver."""

    v: Annotated[int, Field(description="The version of this form: 1.")]
    tracking_id: Annotated[str, Field(description="Azure's id of the wave; empty where it is about no wave.")]
    kind: Annotated[str, Field(description="What the message is, as in the event's type.")]
    urgency: Annotated[
        Urgency, Field(description="`page`: somebody is to get up; `act`: somebody is to answer; `know`.")
    ]
    subject: Annotated[str, Field(description="The subject of the mail: the message in one line.")]
    word: Annotated[str, Field(description="The kind in people's words.")]
    symbol: Annotated[str, Field(description="The sign beside the word.")]
    title: Annotated[str, Field(description="What happened, to which scale set.")]
    sentence: Annotated[str, Field(description="The first sentence, where the title does not say it all.")]
    facts: Annotated[tuple[tuple[str, str], ...], Field(description="How the wave stands: terms and words.")]
    choices: Annotated[
        tuple[Option, ...], Field(description="What can be said for the wave where not all have a place.")
    ]
    events: Annotated[
        tuple[Event, ...], Field(description="The notices, most urgent first, each about one scale set.")
    ]
    parts: Annotated[
        tuple[DigestPart, ...], Field(description="The digest: what will happen to which scale sets.")
    ]
    remarks: Annotated[tuple[str, ...], Field(description="What else has to be said.")]
    stop: Annotated[str, Field(description="How to stop everything, where something starts.")]
    report: Annotated[str, Field(description="The address of the wave's page.")]
    health: Annotated[str, Field(description="The address of the wave in Azure Service Health.")]
    feed: Annotated[str, Field(description="The address of the receiver's own calendar.")]


def data(letter: Letter) -> dict[str, Any]:
    """The letter as the event's data."""
    parts = tuple(
        DigestPart(
            part.heading,
            tuple(
                DigestLine(line.name, line.where, line.said, line.checked, line.checks) for line in part.lines
            ),
        )
        for part in letter.parts
    )
    made = Data(
        v=1,
        tracking_id=letter.tracking_id,
        kind=letter.kind,
        urgency=letter.urgency,
        subject=letter.subject,
        word=letter.word,
        symbol=letter.symbol,
        title=letter.title,
        sentence=letter.sentence,
        facts=letter.facts,
        choices=letter.choices,
        events=letter.events,
        parts=parts,
        remarks=letter.remarks,
        stop=letter.stop,
        report=letter.report,
        health=letter.health,
        feed=letter.feed,
    )
    return asdict(made)


def about(letter: Letter) -> str:
    """What the event is about: its scale set by ARM id where there is one alone, else the wave."""
    concerned = {event.scale_set for event in letter.events}
    if len(concerned) == 1 and not letter.parts:
        return next(iter(concerned)) or letter.tracking_id
    return letter.tracking_id or letter.kind
