"""What `breakwater rehearse` prints: how it ends, what is missed and why, each scale set, who is told."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from handlers.cli import rehearsal_heard
from handlers.cli.output import Format, Out
from handlers.cli.rehearsal_heard import Heard
from handlers.cli.rehearsal_shown import (
    STATES,
    Shown,
    avoided_by,
    began,
    curve,
    document,
    off,
    off_words,
    row,
    taken,
)
from handlers.cli.troubles import premises
from planner.record.notice import Urgency
from planner.record.states import RunState
from planner.rehearsal.story import Played
from planner.text.phrases import many, short, some

ROWS = 40
"""Scale sets in a table for people; the other formats have all."""

LOUD = 15
"""Notices that ask or page, as they come."""

COLUMNS = 40
BLOCKS = " ▁▂▃▄▅▆▇█"
NAME = 26


def printed(shown: Shown, out: Out) -> None:
    """Print the story in the format asked for."""
    if out.format is Format.JSON:
        out.json(document(shown))
    elif out.format is Format.PLAIN:
        out.table((), [row(each) for each in shown.played()])
    else:
        _Page(shown, out).print()


class _Page:
    """The story for people."""

    def __init__(self, shown: Shown, out: Out) -> None:
        self.shown, self.out, self.clock, self.story = shown, out, shown.clock, shown.story
        self._zone = f" {self.clock.at(self.story.start).rpartition(' ')[2]}"

    def print(self) -> None:
        self._head()
        self._missed()
        played = [each for each in self.shown.played() if began(each.run) is not None]
        shown = played[:ROWS]
        if shown:
            self._table(shown)
            self._curves(shown)
        if len(played) > len(shown):
            self.out.say(f"{len(played) - len(shown)} more; -o plain and -o json have all of them.", "dim")
        self._by_azure()
        self._told()

    def _head(self) -> None:
        story = self.story
        self.out.say(
            f"Rehearsed from {self.clock.at(story.start)} to {self.clock.at(story.until)}, "
            f"seed {self.shown.seed}: {many(len(story.played), 'scale set')}.",
            "dim",
        )
        for sentence in premises(self.shown.trouble, as_if=self.shown.as_if):
            self.out.say(sentence)
        self.out.say("")
        self.out.say(f"{self.shown.counts()}.", "bold")

    def _missed(self) -> None:
        if not self.story.misses:
            return
        self.out.say("")
        self.out.say(f"Missed ({len(self.story.misses)})", "bold underline")
        for played in self.shown.played():
            for miss in played.misses:
                self.out.say(
                    f"{self.shown.name(played.run)}  {_missing(miss.instances, played.size)}",
                    "red",
                    mark="x ",
                )
                self.out.say(self.clock.said(miss.why), indent=4)
                ways = avoided_by(played, miss)
                if ways:
                    self.out.say("What would have avoided it:", indent=4)
                for way in ways:
                    self.out.say(self.clock.said(way), indent=4, mark="- ")

    def _table(self, played: Sequence[Played]) -> None:
        self.out.say("")
        self.out.say(
            f"Times are{self._zone}. Day 0 said: when its first plan had it done.",
            "dim",
        )
        self.out.table(
            ("Scale set", "Ends", "First start", "Done", "Day 0 said"),
            [self._row(each) for each in played],
            styles={_ends(each.run.state): "red" for each in played if each.misses},
            whole=("First start", "Done"),
        )

    def _row(self, played: Played) -> tuple[str, ...]:
        run = played.run
        return (
            self.shown.name(run),
            _ends(run.state),
            self._moment(began(run)),
            self._moment(run.ended_at),
            off_words(played, self.clock) if off(played) is not None else self._moment(played.forecast),
        )

    def _moment(self, at: datetime | None) -> str:
        """Without the zone that stands above the table."""
        return self.clock.at(at).removesuffix(self._zone) if at is not None else "-"

    def _curves(self, played: Sequence[Played]) -> None:
        start, end = _between(played, self.story.until)
        self.out.say("")
        self.out.say(
            f"Instances that serve, from {self.clock.at(start)} to {self.clock.at(end)}; "
            f"a column is {short((end - start) / COLUMNS)}, at its lowest:"
        )
        for each in played:
            drawn = "".join(_block(serve, each.size) for serve in curve(each, start, end, COLUMNS))
            label = self.shown.name(each.run)
            label = label if len(label) <= NAME else f"{label[: NAME - 1]}…"
            lowest = each.size - each.most_down
            self.out.say(f"{label.ljust(NAME)} {drawn} {lowest} of {each.size}", indent=2)

    def _by_azure(self) -> None:
        """What Azure reboots in its own window, at times it tells nobody."""
        found = [(each, one) for each in self.shown.played() if (one := taken(each)) is not None]
        if not found:
            return
        self.out.say("")
        self.out.say(f"Left to Azure ({len(found)})", "bold underline")
        self.out.say("Azure reboots these in its scheduled window, when it likes: the seed draws the times.")
        for each, one in sorted(found, key=lambda pair: pair[1].first)[:ROWS]:
            until = f"to {self.clock.at(one.last)}" if one.last is not None else "on; not all come back"
            name, number = self.shown.name(each.run), many(one.instances, "instance")
            when = f"from {self.clock.at(one.first)} {until}"
            self.out.say(f"{name}: {number} {when}, {one.most} at once", mark="- ")
        if len(found) > ROWS:
            self.out.say(f"{len(found) - ROWS} more; -o json has all of them.", "dim")

    def _told(self) -> None:
        heard, unheard = (
            rehearsal_heard.heard(self.story, self.clock.zone),
            rehearsal_heard.unheard(self.story),
        )
        if not heard and not unheard:
            return
        self.out.say("")
        self.out.say("Who is told", "bold underline")
        for each in heard:
            self.out.say(_hears(each), mark="- ")
        if unheard:
            asks = sum(each.urgency is not Urgency.KNOW for each in unheard)
            which = f", {asks} of them ask for something" if asks else ""
            self.out.say(
                f"Nobody hears {many(len(unheard), 'notice')}{which}: no receiver wants it.", mark="- "
            )
        loud = rehearsal_heard.loud(self.story)
        if loud:
            self.out.say("")
            self.out.say(f"What asks or pages ({len(loud)})", "bold underline")
        for told in loud[:LOUD]:
            page = "page" if told.notice.urgency is Urgency.PAGE else "asks"
            target = told.scale_set.rpartition("/")[2]
            self.out.say(f"{self.clock.at(told.at)}  {page} {told.receiver or 'nobody'}: {target}", mark="- ")
            self.out.say(self.clock.said(told.notice.sentence), indent=4)
            again = rehearsal_heard.how_again(told, self.clock.at(told.last))
            if again:
                self.out.say(again, indent=4)
        if len(loud) > LOUD:
            self.out.say(f"{len(loud) - LOUD} more; -o json has all of them.", "dim")


def _hears(heard: Heard) -> str:
    pages = heard.by_urgency.get(Urgency.PAGE, 0)
    parts = []
    if pages:
        again = f" ({heard.again} only come again)" if heard.again else ""
        parts.append(f"{many(pages, 'page')}{again}")
    if asks := heard.by_urgency.get(Urgency.ACT, 0):
        parts.append(many(asks, "asks", "ask"))
    which = f", {', '.join(parts)}" if parts else ""
    told = f"{many(heard.messages, 'message')} with {many(heard.notices, 'notice')}"
    return f"{heard.receiver}: {told}{which}; on the busiest day, {heard.busiest_day}"


def _ends(state: RunState) -> str:
    """In a cell: who did it stands in the counts above."""
    return "done" if state is RunState.COMPLETED else STATES[state]


def _missing(instances: Sequence[str], size: int) -> str:
    if len(instances) == size:
        return f"all {many(size, 'instance')}" if size > 1 else "its one instance"
    return f"instance{'s' if len(instances) > 1 else ''} {some(instances, most=8)}"


def _between(played: Sequence[Played], until: datetime) -> tuple[datetime, datetime]:
    """From the first start to the last moment at which an instance comes back."""
    starts: Iterator[datetime] = (at for each in played for at in (began(each.run),) if at is not None)
    ends = [at for each in played for at, _ in each.capacity]
    first = min(starts)
    last = max((*ends, first + timedelta(hours=1)))
    return first, min(last + (last - first) / COLUMNS, max(until, last))


def _block(serve: int, size: int) -> str:
    if size <= 0:
        return " "
    return BLOCKS[max(0, min(8, -(-8 * serve // size) if serve == size else 8 * serve // size))]
