"""What a webhook gets is what docs/events.schema.json says: every type of event, with an example, kept current."""

import json
import re
from typing import Any

import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_structured_event
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from handlers.channels.http import cloud_event
from handlers.render.forms import render
from handlers.render.vocabulary import STANDALONE
from handlers.render.webhook import KINDS
from planner.record.notice import Kind
from scripts import docs, events
from tests.contracts.test_cards import LETTERS
from tests.notices import NOW
from tests.places import DOCS

SCHEMA = json.loads((DOCS / "events.schema.json").read_text("utf-8"))
PAGE = (DOCS / "webhooks.md").read_text("utf-8")


def validator() -> Draft202012Validator:
    return Draft202012Validator(SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER)


def posted(name: str) -> dict[str, Any]:
    message = render(LETTERS[name], "0" * 32, "wave", NOW)
    return json.loads(cloud_event("https://breakwater.example")(message).body)


def test_the_published_schema_is_the_one_of_the_code() -> None:
    assert (DOCS / "events.schema.json").read_text("utf-8") == docs.event_schema(), "run `make docs`"
    Draft202012Validator.check_schema(SCHEMA)


def test_there_is_a_type_for_every_kind_of_notice_and_message() -> None:
    assert set(KINDS) == {"announced", "finished", *STANDALONE, *Kind} - {Kind.PLANNED}
    assert len(KINDS) == len(set(KINDS))
    assert {f"breakwater.notice.{kind}" for kind in KINDS} == set(SCHEMA["properties"]["type"]["enum"])


@pytest.mark.parametrize("kind", KINDS)
def test_every_type_has_an_example_that_is_what_would_be_posted(kind: str) -> None:
    own = SCHEMA["$defs"][kind]
    example = events.event(kind)

    assert own["$anchor"] == kind
    assert own["examples"] == [example["data"]]
    assert (example["type"], example["data"]["kind"]) == (f"breakwater.notice.{kind}", kind)
    assert example["dataschema"] == f"{SCHEMA['$id']}#{kind}"
    validator().validate(example)
    read = from_structured_event(
        HTTPMessage({"content-type": "application/cloudevents+json"}, json.dumps(example).encode())
    )
    assert read.get_data() == example["data"]


@pytest.mark.parametrize("name", LETTERS)
def test_what_is_posted_is_what_the_schema_says(name: str) -> None:
    event = posted(name)

    validator().validate(event)
    assert _unknown(event["data"], SCHEMA["$defs"]["Data"]) == []


def test_the_schema_refuses_what_is_no_event_of_ours() -> None:
    event = posted("paused-page")
    for broken in (
        event | {"type": "breakwater.notice.started"},
        event | {"data": event["data"] | {"urgency": "loud"}},
        event | {"data": {"kind": "paused"}},
        {key: value for key, value in event.items() if key != "time"},
    ):
        with pytest.raises(ValidationError):
            validator().validate(broken)


def test_an_event_about_one_scale_set_names_it_and_one_about_more_names_the_wave() -> None:
    single = posted("paused-page")
    (concerned,) = {one["scale_set"] for one in single["data"]["events"]}

    assert single["subject"] == concerned
    assert concerned.startswith("/subscriptions/")
    assert (single["data"]["events"][0]["kind"], single["data"]["events"][0]["urgency"]) == ("paused", "page")
    assert posted("announced")["subject"] == "VM8T-1Q8"


def test_the_page_names_every_field_of_the_data_and_every_type() -> None:
    named = set(re.findall(r"`(\w+)`", PAGE))

    assert set(SCHEMA["$defs"]["Data"]["properties"]) <= named
    for part in ("Event", "Option", "Answer", "DigestPart", "DigestLine"):
        assert set(SCHEMA["$defs"][part]["properties"]) <= named, part
    assert set(KINDS) <= named


def _unknown(value: Any, schema: dict[str, Any], path: str = "data") -> list[str]:
    """The fields that the schema does not know, however deep."""
    schema = SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    if isinstance(value, dict):
        known = schema.get("properties", {})
        free = schema.get("additionalProperties", False) is not False
        return [f"{path}.{name}" for name in value if name not in known and not free] + [
            found
            for name, each in value.items()
            if name in known
            for found in _unknown(each, known[name], f"{path}.{name}")
        ]
    if isinstance(value, list) and "items" in schema:
        return [found for each in value for found in _unknown(each, schema["items"], f"{path}[]")]
    return []
