"""Nothing is kept that nobody uses: no setting without a reader, no kind of message without a sender."""

import re
from typing import get_args

import pytest

from handlers.wire.messages import NoticeMessage, ScaleSetMessage
from handlers.wire.settings import Settings
from tests.places import ROOT

SOURCES = {
    path.relative_to(ROOT).as_posix(): path.read_text("utf-8")
    for path in [*ROOT.glob("handlers/**/*.py"), ROOT / "function_app.py"]
}

READ_AS = {"link_key": "link_keys", "arm_endpoint": "management"}
"""Settings that are read by another name: one text is several keys, an endpoint has the cloud's as default."""


def elsewhere(*files: str) -> str:
    return "\n".join(text for name, text in SOURCES.items() if name not in files)


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_every_setting_is_read(name: str):
    variable = str(Settings.model_fields[name].validation_alias)
    text = elsewhere("handlers/wire/settings.py")
    assert re.search(rf"\.{READ_AS.get(name, name)}\b", text) or f'"{variable}"' in text


SENT = [
    (field, kind)
    for model, field in ((ScaleSetMessage, "reason"), (NoticeMessage, "kind"))
    for kind in get_args(model.model_fields[field].annotation)
    if kind != model.model_fields[field].default
]


@pytest.mark.parametrize(("field", "kind"), SENT)
def test_every_kind_of_message_is_sent(field: str, kind: str):
    text = elsewhere("handlers/wire/messages.py")
    assert re.search(rf'\b{field}("?:| ?=)(?!=)[^\n]*"{kind}"|= "{kind}"\n', text), kind
