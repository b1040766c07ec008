"""Every kind of message, each from a run that a small world has carried to it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from handlers.render.addresses import Addresses
from handlers.render.compose import compose, standalone
from handlers.render.letter import Letter, Story
from planner.azure.fleet import Health
from planner.azure.wave import Announcement, Stage, Wave
from planner.notices.digest import Row, overview
from planner.record.command import CommandKind
from planner.record.notice import Down, Kind, Notice, Urgency
from planner.record.run import Run
from planner.record.states import RunState
from planner.record.waits import HeldUp
from planner.state.notices import with_question
from tests.altered import altered
from tests.golden.worlds import DAY, H, M, obeying, of, renamed, until, world
from tests.planner.protocol import NOW, Protocol
from tests.planner.small_azure import SUBSCRIPTION

TRACKING = "VM8T-1Q8"
ADDRESSES = Addresses(
    "https://breakwater.example",
    lambda place, action, checksum, to: "-".join((action, *(str(len(part)) for part in place[3:]), *to)),
)
HOSTILE = (
    "<script>alert(1)</script> **bold** [here](https://evil.example) \u202egnirts desrever\u202c "
    "\u05e9\u05dc\u05d5\u05dd \N{FIRE}\N{SKULL}"
)
ENDLESS = f"{HOSTILE} {'An ordinary sentence that somebody wrote again and again. ' * 100}{'x' * 10_000}"


def wave(runs: Sequence[Run], title: str) -> Wave:
    said = Announcement(
        TRACKING, SUBSCRIPTION, "1", Stage.PLANNED, "a" * 64, NOW - H, NOW - H, NOW - H, title=title,
        text="We will reboot your machines.", regions=tuple(sorted({run.target.location for run in runs})),
        services=("Virtual Machine Scale Sets",),
    )  # fmt: skip
    return Wave(TRACKING, SUBSCRIPTION, (said,))


def told(
    *items: tuple[Run, Notice],
    now: datetime = NOW,
    ended: tuple[Run, ...] = (),
    title: str = "Planned maintenance for Virtual Machine Scale Sets",
) -> Letter:
    """The message about these notices."""
    runs = [*{run.target.id: run for run, _ in items}.values(), *ended]
    rows = [Row(run.state, run.needs_person, run.times.deadline) for run in runs]
    seen = overview(rows, 0, wave_open=True)
    return compose(Story(TRACKING, (wave(runs, title),), items, seen, ended), ADDRESSES, now)


def one(run: Run, kind: Kind) -> Letter:
    """The message about the last notice of this kind, at the moment when it was given."""
    notice = next(each for each in reversed(run.story.notices) if each.kind is kind)
    return told((run, notice), now=notice.at)


def approval() -> Letter:
    return one(of(world(mode="approve")), Kind.APPROVAL)


def changed() -> Letter:
    made = world()
    until(made, H)
    made.azure.grow(in_wave=True)
    made.policy = world(windows="Sat,Sun 01:00-06:00 Europe/Berlin").policy
    made.plan()
    return one(of(made), Kind.REPLANNED)


def started() -> Letter:
    return one(obeying(world(), 5 * DAY + 17 * H + 8 * M), Kind.STARTED)


def starting() -> Letter:
    return one(obeying(world(), 5 * DAY + 16 * H), Kind.STARTING)


def failing(**values: str) -> Protocol:
    """An instance that is not healthy again within the hour."""
    made = world("search-prod", windows="any time", **values)
    obeying(made, 2 * H, ill="0")
    return made


def failed(**values: str) -> Run:
    return of(failing(**values))


def acknowledged() -> Letter:
    made = failing()
    made.now += M
    made.poll([made.event("acknowledge")])
    return one(of(made), Kind.ACKNOWLEDGED)


def paused() -> Letter:
    """While three others wait for its place."""
    run = failed()
    notice = next(each for each in run.story.notices if each.kind is Kind.PAUSED)
    run = altered(run, holds_up=HeldUp(3, ("westeurope",), NOW + 2 * DAY))
    answers = tuple(answer for answer in notice.answers if answer is not CommandKind.ACKNOWLEDGE)
    run = with_question(run, Kind.PAUSED, notice.sentence, notice.at, urgency=Urgency.PAGE, answers=answers)
    again = replace(run.story.notices[-1], down=notice.down, serving=notice.serving)
    return told((run, again), now=notice.at)


def held() -> Letter:
    made = world("search-prod")
    until(made, H)
    made.poll([made.event("hold")])
    return one(of(made), Kind.PAUSED)


def resumed() -> Letter:
    made = world("search-prod")
    until(made, H)
    made.poll([made.event("hold")])
    made.now += M
    made.poll([made.event("resume")])
    return one(of(made), Kind.RESUMED)


def does_not_fit() -> Letter:
    return one(of(world(count=12, domains=12)), Kind.PAUSED)


def stalled() -> Letter:
    made = world(windows="any time")
    made.azure.machines["2"].become(health=Health.UNHEALTHY)
    return one(until(made, 5 * H), Kind.STALLED)


def reminder() -> Letter:
    return one(until(world(mode="approve"), 5 * DAY), Kind.REMINDER)


def out_of_time() -> Letter:
    return one(obeying(world("search-prod"), 6.5 * DAY, ill="1"), Kind.SLACK)


def trouble() -> Letter:
    made = world()
    until(made, H)
    made.trouble = "Azure could not be reached: connection reset."
    return one(until(made, 3 * DAY), Kind.TROUBLE)


def completed() -> Letter:
    return one(obeying(world(), 6 * DAY), Kind.COMPLETED)


def missed() -> Letter:
    made = world(windows="any time", days=1)
    made.stopped = "`stop: true` in the policy file"
    return one(until(made, 2 * DAY), Kind.MISSED)


def cancelled() -> Letter:
    made = world()
    until(made, H)
    made.say(Stage.CANCELED)
    made.poll()
    return one(of(made), Kind.CANCELLED)


def twelve() -> list[Run]:
    """A wave of twelve scale sets in two regions."""
    ours = [
        of(world(f"web-{number}", location=("westeurope", "northeurope")[number % 2])) for number in range(7)
    ]
    left = [
        of(world(f"batch-{number}", self_service="when-needed", windows="any time")) for number in range(4)
    ]
    spared = world("cache-prod")
    spared.azure.called_off()
    spared.run = None
    spared.plan()
    return [*ours, *left, of(spared)]


def announced() -> Letter:
    asks = of(world(mode="approve"))
    runs = [*twelve()[:-1], asks, twelve()[-1]]
    return told(*((run, run.story.notices[0]) for run in runs))


def announced_with_a_question() -> Letter:
    asks = of(world(mode="approve"))
    items = [
        *((run, run.story.notices[0]) for run in twelve()),
        *((asks, each) for each in asks.story.notices),
    ]
    return told(*items)


def empty() -> Letter:
    run = twelve()[-1]
    return told((run, run.story.notices[0]))


def emergency() -> Letter:
    run = of(world(lead="0m"))
    return told((run, replace(run.story.notices[0], urgency=Urgency.PAGE)))


def thousand() -> list[Run]:
    """A thousand scale sets; the last of them asks for something."""
    ours, left, asks = of(world()), of(world(self_service="never")), of(world(mode="approve"))
    many = [renamed(ours, f"web-{number:03}") for number in range(700)]
    many += [renamed(left, f"batch-{number:03}", "northeurope") for number in range(299)]
    return [*many, asks]


def huge() -> Letter:
    *many, asks = thousand()
    return told(
        *((run, run.story.notices[0]) for run in many), *((asks, each) for each in asks.story.notices)
    )


def strange() -> tuple[Run, Notice]:
    """A run of which whatever comes from outside is hostile, and what it asks."""
    run = failed()
    notice = Notice(
        9, NOW, Kind.PAUSED, Urgency.PAGE, ENDLESS, (Down(HOSTILE, HOSTILE, HOSTILE, HOSTILE, ENDLESS),),
        ENDLESS, ENDLESS, run.story.notices[-1].answers,
    )  # fmt: skip
    told_so = altered(run, reason=ENDLESS, capacity=ENDLESS, again=ENDLESS, notices=(notice,))
    return renamed(told_so, HOSTILE, HOSTILE), notice


def hostile() -> Letter:
    run, notice = strange()
    return told((run, notice), (run, replace(notice, number=1, kind=Kind.PLANNED)), title=ENDLESS)


def troubled() -> tuple[Run, ...]:
    """Three scale sets that ask at once, and one that is done."""
    ill, asks, late = failed(), of(world(mode="approve")), of(world("web", count=12, domains=12))
    return ill, asks, late, obeying(world("done"), 6 * DAY)


def everything_went_wrong() -> Letter:
    wanted = {Kind.PAUSED, Kind.APPROVAL, Kind.COMPLETED, Kind.STARTED, Kind.SLACK}
    items = [(run, each) for run in troubled() for each in run.story.notices if each.kind in wanted]
    return told(*items, now=NOW + 2 * H)


def over() -> tuple[Run, Run]:
    return obeying(world(), 6 * DAY), altered(of(world("web")), state=RunState.MISSED)


def finished() -> Letter:
    return told(ended=over(), now=NOW + 8 * DAY)


def alone(kind: str, text: str, tracking_id: str = TRACKING) -> Callable[[], Letter]:
    return lambda: standalone(kind, tracking_id, text, ADDRESSES)


SCENES: dict[str, Callable[[], Letter]] = {
    "announced": announced,
    "announced-with-a-question": announced_with_a_question,
    "announced-nobody-affected": empty,
    "announced-emergency": emergency,
    "announced-huge": huge,
    "changed": changed,
    "approval": approval,
    "starting": starting,
    "started": started,
    "paused": paused,
    "paused-on-hold": held,
    "paused-does-not-fit": does_not_fit,
    "paused-hostile": hostile,
    "everything-went-wrong": everything_went_wrong,
    "acknowledged": acknowledged,
    "resumed": resumed,
    "stalled": stalled,
    "reminder": reminder,
    "out-of-time": out_of_time,
    "trouble": trouble,
    "completed": completed,
    "missed": missed,
    "cancelled": cancelled,
    "finished": finished,
    "test": alone("test", "ana@example.org typed it.", ""),
    "wired": alone("wired", "Alert rule `breakwater`, action group `ops`.", "TEST-TTT"),
    "quarantined": alone(
        "quarantined", "A message of the queue `runs` failed 5 times. The last time: no run.", ""
    ),
    "unread": alone("unread", "Azure answered 403 AuthorizationFailed."),
    "channel": alone("channel", "The Teams channel of ops: answered 404: its address is no longer valid."),
    "empty-wave": alone("empty_wave", "Wave VM8T-1Q8 names uksouth in which Breakwater sees no scale set."),
    "unknown-wave": alone("unknown_wave", "Resource Graph shows planned maintenance in uksouth."),
}
ASKING = (
    "announced-with-a-question", "approval", "paused", "paused-on-hold", "paused-does-not-fit", "stalled",
    "reminder", "out-of-time", "trouble", "everything-went-wrong",
)  # fmt: skip
"""Those in which somebody is asked for something."""
