"""A wave is recorded as storage held it, and told from its records as it was told when it was played."""

import json

from tests.golden import recorded
from tests.golden.files import kept
from tests.golden.record import kept_of, played
from tests.golden.replayed import told
from tests.golden.waves import WAVES


async def test_what_is_told_from_a_wave_on_record_is_what_was_told_in_it(tmp_path, monkeypatch):
    recording = WAVES["emergency"]
    world, azure = await played(recording)
    monkeypatch.setattr(recorded, "RECORDED", tmp_path)
    recorded.save("emergency", recording.policy, kept_of(recording, world), azure)

    ((name, moment),) = recorded.moments.__wrapped__("emergency").items()
    (sent,) = kept_of(recording, world).values()
    assert world.arm.calls["list instances"] > 0, "Azure was asked over HTTP"
    assert moment.documents.keys() == sent.documents.keys()
    assert {path: json.loads(one.body) for path, (one, _) in moment.documents.items()} == {
        path: json.loads(one.body) for path, (one, _) in sent.documents.items()
    }
    again = await told(moment)
    assert (name, again.subject) == ("announced-emergency", sent.message.subject)
    assert azure not in kept(tmp_path / "emergency", recorded.DOCUMENTS)
