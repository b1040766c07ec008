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

UNREAD = {"link_key"}
"""The key by which links are going to be signed; deployed already, so that no deployment changes for it."""


def elsewhere(*files: str) -> str:
    return "\n".join(text for name, text in SOURCES.items() if name not in files)


@pytest.mark.parametrize("name", sorted(set(Settings.model_fields) - UNREAD))
def test_every_setting_is_read(name: str):
    variable = str(Settings.model_fields[name].validation_alias)
    text = elsewhere("handlers/wire/settings.py")
    assert re.search(rf"\.{name}\b", text) or f'"{variable}"' in text


@pytest.mark.parametrize("name", sorted(UNREAD))
def test_what_is_called_unread_is_unread(name: str):
    assert not re.search(rf"\.{name}\b", elsewhere("handlers/wire/settings.py"))


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
