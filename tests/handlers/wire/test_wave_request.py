"""A command for a whole wave: what it has to say, and what is refused with a sentence."""

import json
import shlex
from typing import Any

import pytest

from handlers.wire.command_request import Refused
from handlers.wire.http import Request
from handlers.wire.wave_request import WaveRequest, Which, read
from planner.record.command import CommandKind
from tests.places import DOCS

GUID = "11111111-2222-3333-4444-555555555555"


def asked(action: str, **said: Any) -> WaveRequest:
    body = json.dumps({"actor": "ana", **said}).encode()
    return read(Request("POST", {"wave": "VM8T-1Q8", "action": action}, body=body), signed_in=False)


def test_a_command_names_the_runs_it_is_for() -> None:
    found = asked("skip", runs="late", comment="Azure may do them.", subscription=GUID.upper())
    assert (found.which, found.subscription) == (Which.LATE, GUID)
    assert (found.command.kind, found.command.actor) == (CommandKind.SKIP, "ana")
    assert (found.command.comment, found.limits) == ("Azure may do them.", {})
    assert asked("raise", runs="waiting", windows="any time").command.raised == {"windows": "any time"}


def test_limits_are_raised_for_the_wave_and_not_for_runs() -> None:
    found = asked("raise", **{"scale-sets": 9, "by-match.databases.scale-sets": "2"})
    assert (found.which, found.limits) == (None, {"scale-sets": 9, "by-match.databases.scale-sets": 2})


def test_what_the_documents_say_to_type_for_a_wave_is_understood() -> None:
    text = (DOCS / "people.md").read_text().replace("\\\n", " ")
    typed = [shlex.split(line) for line in text.splitlines() if '"$WAVE/' in line and line.startswith("curl")]
    found = [asked(words[3].removeprefix("$WAVE/"), **json.loads(words[-1])) for words in typed]
    assert {each.command.actor for each in found} == {"Ana"}
    assert {each.which for each in found} == {None, Which.LATE}


@pytest.mark.parametrize(
    ("action", "said", "sentence"),
    [
        ("skip", {}, "Say which scale sets: `runs` is `late`"),
        ("skip", {"runs": "most"}, "Say which scale sets: `runs` is `late`"),
        ("skip", {"runs": ["late"]}, "Say which scale sets: `runs` is `late`"),
        ("skip", {"runs": "all", "domains": ["1"]}, "`domains` is not a field of skip"),
        ("approve", {"runs": "all"}, "An approval is for one plan"),
        ("explode", {"runs": "all"}, "'explode' is not an action for a wave; use hold, resume, skip"),
        ("raise", {"runs": "late", "scale-sets": 9}, "Limits are the wave's"),
        ("raise", {"soak": "5m", "scale-sets": 9}, "Limits are the wave's"),
        ("raise", {"scale-sets": "many"}, "`scale-sets` must be a number from 1 to 10000"),
        ("raise", {"regions": 0}, "`regions` must be a number from 1 to 10000"),
        ("raise", {"regions": True}, "`regions` must be a number from 1 to 10000"),
        ("raise", {"regions": "1" * 40}, "`regions` must be a number from 1 to 10000"),
        ("raise", {"runs": "late"}, "Say what to raise"),
        ("raise", {"runs": "late", "soack": "5m"}, "`soack` cannot be raised"),
        ("hold", {"runs": "all", "subscription": "mine"}, "'mine' is not a subscription id"),
        ("hold", {"runs": "all", "actor": ""}, "Say who you are"),
    ],
)
def test_what_is_not_understood_is_refused_with_what_to_write(
    action: str, said: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(Refused) as refused:
        asked(action, **said)
    assert sentence in refused.value.sentence
    assert refused.value.status == 400
