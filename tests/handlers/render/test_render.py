import json
import re
import shlex
from dataclasses import replace
from datetime import timedelta
from html import unescape

from handlers.render import azure_html
from handlers.render.addresses import Addresses
from handlers.render.compose import compose
from handlers.render.forms import render
from handlers.render.letter import Letter, Story
from handlers.render.outside_text import clean, for_card, one_line
from planner.notices.digest import Overview
from planner.record.cause import Cause
from planner.record.check import Check, Outcome
from planner.record.notice import Choice, Down, Kind, Urgency
from planner.record.run import Run
from planner.record.states import RunState
from planner.record.waits import Stalled, Waited
from tests.altered import altered
from tests.handlers.reader import Seen
from tests.notices import (
    CAPACITY,
    CHOICES,
    NOW,
    SUBSCRIPTION,
    TRACKING,
    followed,
    misfit,
    notice,
    paused,
    repairing,
    run,
    short_of_time,
    wave,
)

HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(1)> \"' "
    "[a](https://evil.example)\r\nBcc: all@example.org"
)
ACTIVE = {"script", "img", "iframe", "object", "form", "input", "link", "svg", "base"}


def letter(*runs: Run, **more: object) -> Letter:
    items = tuple((one, said) for one in runs for said in one.story.notices)
    story = Story(TRACKING, (wave(*runs),), items, Overview({"paused": len(runs)}), **more)  # type: ignore[arg-type]
    return compose(story, Addresses("https://breakwater.example"), NOW)


def hostile() -> Run:
    said = notice(
        1,
        Kind.PAUSED,
        Urgency.PAGE,
        sentence=HOSTILE,
        serving=HOSTILE,
        otherwise=HOSTILE,
        down=(Down(HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE),),
        answers=("resume",),
    )
    one = run("web", notice(), said, state=RunState.PAUSED, reason=HOSTILE)
    return replace(one, target=replace(one.target, name=HOSTILE, resource_group=HOSTILE, location=HOSTILE))


def test_hostile_text_cannot_become_html_in_a_mail():
    seen = Seen(render(letter(hostile()), "id", "thread").html)

    assert not ACTIVE.intersection(seen.tags)
    assert not [name for name, _ in seen.attributes if name.startswith("on")]
    addresses = [value for name, value in seen.attributes if name == "href"]
    assert addresses
    for address in addresses:
        assert address.startswith(
            ("https://breakwater.example/", "https://app.azure.com/h/", "https://portal.azure.com/#resource/")
        )


def test_a_mails_subject_is_one_line_whatever_it_is_about():
    subject = render(letter(hostile()), "id", "thread").subject

    assert "\n" not in subject
    assert "\r" not in subject
    assert len(subject) <= 150


def test_what_is_typed_cannot_run_anything_else():
    command = letter(hostile()).events[0].answers[0].command
    address = re.search(r'curl -X POST "([^"]+)"', command)

    assert address is not None
    assert re.fullmatch(r"[A-Za-z0-9:/._%-]+", address[1])


def test_an_approval_names_the_plan_it_is_for():
    one = run(
        "web", notice(1, Kind.APPROVAL, Urgency.ACT, answers=("approve",)), state=RunState.AWAITING_APPROVAL
    )
    command = letter(one).events[0].answers[0].command

    assert json.loads(command.split("-d '")[1].removesuffix("'"))["checksum"] == one.people.checksum


def test_a_plan_that_does_not_fit_comes_with_what_to_choose_and_what_to_type():
    one = misfit("db")
    made = letter(one)
    event = made.events[0]

    assert [choice.sentence for choice in event.choices] == [choice.sentence for choice in CHOICES]
    assert [answer.label for answer in event.answers] == ["Leave to Azure"], "resume is among the choices"
    for shown, choice in zip(event.choices, CHOICES, strict=True):
        address = re.search(r'curl -X POST "([^"]+)"', shown.command)
        sent = json.loads(shown.command.split("-d '")[1].removesuffix("'"))
        assert address is not None
        assert address[1].endswith(f"/shop/db/{choice.word}")
        assert sent == {"actor": "YOUR NAME", "comment": "WHY", **choice.to}


def test_every_form_of_a_message_says_the_same_of_a_plan_that_does_not_fit():
    made = render(letter(misfit("db")), "id", "thread")
    forms = (made.text, unescape(made.html), json.dumps(made.card), json.dumps(made.payload))

    for form in forms:
        flat = " ".join(form.split())
        for said in (*(choice.sentence for choice in CHOICES), CAPACITY, "2 d too late", "/shop/db/raise"):
            assert said in flat


def test_choices_are_gone_once_the_run_goes_on():
    said = misfit("db").story.notices[1]
    going = run("db", notice(), said, state=RunState.SCHEDULED)

    assert letter(going).events[0].choices == ()


def test_a_quote_in_what_is_chosen_does_not_end_what_is_typed():
    choice = Choice("leave", "Leave it.", "skip", {"domains": "o'clock $(reboot) `x`"})
    command = Addresses().choose(TRACKING, run("db"), choice)
    body = shlex.split(command)[-1]

    assert json.loads(body)["domains"] == "o'clock $(reboot) `x`"


def test_time_that_is_short_offers_choices_beside_hold_and_skip():
    event = letter(short_of_time("db")).events[0]

    assert [choice.word for choice in event.choices] == ["raise"]
    assert [answer.label for answer in event.answers] == ["Hold", "Leave to Azure"]


def test_a_message_says_since_when_automatic_repairs_are_suspended():
    made = render(letter(repairing("db")), "id", "thread")

    for form in (made.text, unescape(made.html), json.dumps(made.card)):
        assert "Suspended by this run since Tue 24 Nov 11:00 UTC" in form


def test_a_check_that_blocks_or_could_not_be_read_is_told_with_its_sentence():
    odd = (
        Check(
            "often-stopped", Outcome.UNKNOWN, "The activity log cannot be read: the role Reader is missing."
        ),
        Check("managed", Outcome.ACCEPTED, "It is managed by AKS. Accepted (the policy)."),
        Check("policy", Outcome.PASS, "The policy can be read."),
    )
    (line,) = letter(run("web", notice(), checks=odd)).parts[0].lines

    assert line.checked == "Checks: 1 passed, 1 unknown (often-stopped), 1 accepted (managed)."
    assert line.checks[0] == f"often-stopped (unknown): {odd[0].reason}"
    made = render(letter(run("web", notice(), checks=odd)), "id", "thread")
    for form in (made.text, unescape(made.html)):
        assert odd[0].reason in form
        assert odd[1].reason in form
    assert "1 unknown (often-stopped)" in json.dumps(made.card)


def test_a_plan_says_by_when_it_must_start_and_what_it_takes_away():
    again = "Instance 4 is scheduled for the second time: it was stopped."
    one = run("web", notice(), start_by=NOW + timedelta(days=1), capacity=CAPACITY, again=again)
    (line,) = letter(one).parts[0].lines

    assert "To make that, it must start by Wed 25 Nov 12:00 UTC." in line.said
    assert CAPACITY in line.said
    assert again in line.said


def test_a_scale_set_with_a_notice_of_its_own_is_not_told_twice():
    made = render(letter(misfit("db")), "id", "thread")

    assert "See above. 3 instances in 2 batches" in made.text
    assert made.text.count("must be done by Sat 28 Nov 12:00 UTC.") == 1


def test_of_hundreds_that_are_down_the_first_are_named_and_the_rest_is_counted():
    down = tuple(Down(str(number), "", "domain 0", "stopped") for number in range(300))
    one = run("db", notice(1, Kind.PAUSED, Urgency.PAGE, down=down), state=RunState.PAUSED)

    assert letter(one).events[0].down[-1] == "260 more instances down; the page names them."


def test_what_azure_did_is_told_at_its_end():
    ended = letter(run("web", notice(1, Kind.COMPLETED, sentence=followed("web").reason)))

    assert "Azure is done with it: 3 by Azure" in render(ended, "id", "thread").text


def test_mail_keeps_its_dark_rules_and_has_its_style_inline():
    html = render(letter(paused("db")), "id", "thread").html

    assert "prefers-color-scheme: dark" in html
    assert 'style="' in html
    assert ".text {" not in html.split("@media")[0]


def test_the_text_of_a_mail_says_all_that_its_html_says():
    made = render(letter(paused("db"), run("web", notice())), "id", "thread")

    for said in (
        "Needs your action (1)",
        "Rebooted by us (1)",
        "Instance 4",
        "14 of 18",
        "Resume",
        "Open the wave:",
    ):
        assert said in made.text


def test_only_the_last_notice_of_a_scale_set_offers_answers():
    one = run(
        "web",
        notice(1, Kind.APPROVAL, Urgency.ACT, answers=("approve",), otherwise="Nothing starts."),
        notice(2, Kind.STARTED),
        state=RunState.RUNNING,
    )

    assert [event.answers for event in letter(one).events] == [(), ()]


def test_the_most_urgent_notice_names_the_message():
    made = letter(run("a", notice(1, Kind.COMPLETED)), paused("z"), run("b", notice(1, Kind.STARTED)))

    assert made.word == "Paused"
    assert made.title == "z needs your action"
    assert made.urgency is Urgency.PAGE


def test_an_emergency_announcement_says_so():
    made = letter(run("web", notice(1, Kind.PLANNED, Urgency.PAGE)))

    assert (made.word, made.urgency) == ("Emergency maintenance", Urgency.PAGE)


def test_text_is_cut_cleaned_and_flattened():
    assert clean("a\u202eb\x00c\td\r\ne") == "abc d\ne"
    assert len(clean("x" * 10_000)) <= 2000
    assert one_line(" a\n\n b ") == "a b"
    assert for_card("db_prod-01 (18 of 18)") == "db_prod-01 (18 of 18)"


def test_what_azure_said_keeps_its_paragraphs_and_loses_everything_active():
    said = '<p onclick="x">Hello <b>all</b><script>alert(1)</script><a href="https://evil.example">here</a></p><style>p{}</style><ul><li>one'

    assert azure_html.safe(said) == "<p>Hello <b>all</b>here</p><ul><li>one</li></ul>"
    assert azure_html.plain(said) == "Hello allhere\none"
    assert azure_html.plain("&lt;script&gt; 1 &amp; 2") == "<script> 1 & 2"


def test_deep_links_lead_to_azures_own_pages():
    assert Addresses().service_health(TRACKING, SUBSCRIPTION) == f"https://app.azure.com/h/{TRACKING}/1230ab"
    assert Addresses().portal("/subscriptions/x/a b?c#d").endswith("#resource/subscriptions/x/a%20b%3Fc%23d")


def test_a_digest_counts_who_waits_by_cause_and_names_them():
    def held(name: str, cause: Cause) -> Run:
        stalled = Stalled(cause, "api is in flight", NOW, waited=(Waited(cause, NOW),))
        return altered(run(name, notice(Kind.PLANNED)), stalled=stalled)

    runs = (held("api", Cause.LIMIT), held("web", Cause.LIMIT), held("db", Cause.NEIGHBOUR))
    seen = Overview({"scheduled": 3}, waits={"neighbour": 1, "limit": 2})
    letter = compose(
        Story("VM8T-1Q8", (), tuple((run, run.story.notices[0]) for run in runs), seen), Addresses(), NOW
    )
    assert "2 held up by the limits (api, web)" in letter.sentence
    assert "1 held up by an unhealthy instance (db)" in letter.sentence
    assert "rebooted by us" not in letter.sentence
    waiting = dict(letter.facts)["Waiting"]
    assert waiting == "1 held up by an unhealthy instance, 2 held up by the limits"
    (part,) = letter.parts
    assert part.heading == "Could start, but waits (3)"
    assert letter.stop
