import json
from base64 import b64decode
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from cloudevents.core.bindings.http import HTTPMessage, from_structured_event

from handlers.channels import Channels, ChannelTrouble, email_smtp
from handlers.channels import certificate as certificate_of
from handlers.channels.http import Post, cloud_event
from handlers.channels.mail import build
from handlers.channels.trouble import asked_wait, redacted
from planner.policy.model import Receiver
from simulator.inboxes import AcsInbox, MailInbox, Scripted, TeamsInbox
from tests.handlers import certificates
from tests.notices import NOW, settings

OPS = ("ops@example.org", "Night Shift <night@example.org>")


@dataclass(frozen=True)
class Letter:
    message_id: str = "0123456789abcdef0123456789abcdef"
    thread: str = "wave-1"
    urgency: str = "page"
    subject: str = "[Paused] VM8T-1Q8 db-prod: grüße 🚧"
    text: str = "Instance 4 is down.\n.\nA dot above."
    html: str = "<p>Instance 4 is down.</p>"
    card: dict[str, Any] = field(default_factory=lambda: {"type": "AdaptiveCard"})
    payload: dict[str, Any] = field(default_factory=lambda: {"v": 1, "subject": "x"})
    kind: str = "paused"
    about: str = "VM8T-1Q8"
    at: datetime = NOW
    calendar: bytes = b""


@pytest.fixture
def certificate(tmp_path) -> certificates.Certificate:
    return certificates.made_in(tmp_path)


class Identity:
    """The app's identity, as azure-identity would give it."""

    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        assert scopes == ("https://communication.azure.com//.default",)
        return AccessToken("token", 4_000_000_000)

    async def close(self) -> None: ...


def channels(**more: Any) -> Channels:
    return Channels(settings("", **more), Identity)


async def send(receiver: Receiver, letter: Letter | None = None, **more: Any) -> str:
    opened = channels(**more)
    try:
        (sender,) = opened.of(receiver).values()
        return await sender.send(letter or Letter())
    finally:
        await opened.close()


def test_a_receiver_has_the_channels_it_names_in_a_fixed_order():
    opened = channels(smtp="smtp://127.0.0.1:25")

    assert list(opened.of(Receiver("ops", "https://a.example", OPS, "https://b.example"))) == [
        "email",
        "teams",
        "webhook",
    ]
    assert opened.of(Receiver("nobody")) == {}


async def test_teams_gets_the_card_in_the_envelope_workflows_expect():
    async with TeamsInbox() as teams:
        assert await send(Receiver("ops", teams=teams.url)) == ""

        assert teams.messages[0].body == {
            "type": "message",
            "attachments": [
                {
                    "contentType": "application/vnd.microsoft.card.adaptive",
                    "contentUrl": None,
                    "content": {"type": "AdaptiveCard"},
                }
            ],
        }


async def test_a_webhook_gets_a_cloud_event_under_the_messages_id():
    async with TeamsInbox(path="/hook") as hook:
        await send(Receiver("ops", webhook=hook.url))
        (post,) = hook.messages

    assert post.headers["Content-Type"] == "application/cloudevents+json"
    assert post.headers["Idempotency-Key"] == Letter().message_id
    assert post.body == {
        "specversion": "1.0",
        "id": Letter().message_id,
        "source": "https://breakwater.example",
        "type": "breakwater.notice.paused",
        "subject": "VM8T-1Q8",
        "time": "2026-11-24T12:00:00Z",
        "datacontenttype": "application/json",
        "dataschema": "urn:breakwater:notice:1#paused",
        "data": Letter().payload,
    }
    read = from_structured_event(HTTPMessage(dict(post.headers), json.dumps(post.body).encode()))
    assert (read.get_id(), read.get_data()) == (Letter().message_id, Letter().payload)


def test_an_app_whose_address_nobody_has_set_is_a_source_all_the_same():
    assert json.loads(cloud_event("")(Letter()).body)["source"] == "urn:breakwater"


async def test_a_cloud_event_is_the_same_when_it_is_sent_again():
    async with TeamsInbox(path="/hook", answers=[503]) as hook:
        with pytest.raises(ChannelTrouble):
            await send(Receiver("ops", webhook=hook.url))
        first = form_of(Letter())
        await send(Receiver("ops", webhook=hook.url))

        assert json.loads(first.body) == hook.messages[0].body


def form_of(letter: Letter) -> Post:
    return cloud_event("https://breakwater.example")(letter)


CALENDAR = "BEGIN:VCALENDAR\r\nMETHOD:PUBLISH\r\nSUMMARY:grüße\r\nEND:VCALENDAR\r\n".encode()


async def test_mail_brings_the_calendar_along_and_stays_readable_without_it():
    async with MailInbox() as inbox:
        await send(Receiver("ops", email=OPS), Letter(calendar=CALENDAR), smtp=inbox.url)
        (mail,) = inbox.messages

    (attached,) = mail.iter_attachments()
    assert attached.get_content_type() == "text/calendar"
    assert (attached["content-type"].params["method"], attached["content-type"].params["charset"]) == (
        "PUBLISH",
        "utf-8",
    )
    assert attached.get_filename() == "maintenance.ics"
    assert attached.get_payload(decode=True) == CALENDAR
    assert mail.get_body(("plain",)).get_content().replace("\r\n", "\n").strip() == Letter().text
    assert mail.get_body(("html",)).get_content().strip() == Letter().html


async def test_mail_that_changes_nothing_brings_no_calendar():
    async with MailInbox() as inbox:
        await send(Receiver("ops", email=OPS), smtp=inbox.url)

        assert list(inbox.messages[0].iter_attachments()) == []


async def test_communication_services_bring_the_calendar_along():
    async with AcsInbox() as inbox:
        await send(Receiver("ops", email=OPS), Letter(calendar=CALENDAR), acs_endpoint=inbox.url)
        await send(Receiver("ops", email=OPS), Letter(message_id="1" * 32), acs_endpoint=inbox.url)
        first, second = inbox.messages

    (attached,) = first.body["attachments"]
    assert (attached["name"], attached["contentType"]) == ("maintenance.ics", "text/calendar")
    assert b64decode(attached["contentInBase64"]) == CALENDAR
    assert first.body["headers"]["x-ms-acsemail-suppress-invalid-attachment"] == "true"
    assert "attachments" not in second.body


async def test_all_mails_of_a_wave_are_one_thread_whoever_carries_them():
    async with MailInbox() as inbox:
        for number in "12":
            await send(Receiver("ops", email=OPS), Letter(message_id=number * 32), smtp=inbox.url)
        first, second = inbox.messages

    assert first["message-id"] != second["message-id"]
    assert first["references"] == second["references"] == first["in-reply-to"] == "<wave-1@example.org>"
    async with AcsInbox() as service:
        await send(Receiver("ops", email=OPS), acs_endpoint=service.url)
        said = service.messages[0].body["headers"]
    assert said["Message-ID"] == f"<{Letter().message_id}@example.org>"
    assert said["References"] == said["In-Reply-To"] == "<wave-1@example.org>"
    assert said["Auto-Submitted"] == "auto-generated"


@pytest.mark.parametrize(
    ("answer", "recoverable", "wait"),
    [
        (Scripted(429, retry_after=7), True, timedelta(seconds=7)),
        (503, True, None),
        (500, True, None),
        (408, True, None),
        (400, False, None),
        (413, False, None),
        (422, False, None),
    ],
)
async def test_teams_refusals_say_whether_trying_again_can_help(answer, recoverable, wait):
    async with TeamsInbox(answers=[answer]) as teams:
        with pytest.raises(ChannelTrouble) as trouble:
            await send(Receiver("ops", teams=teams.url))

    assert (trouble.value.recoverable, trouble.value.retry_after) == (recoverable, wait)
    assert not trouble.value.broken
    assert "simulated" not in str(trouble.value)


@pytest.mark.parametrize(
    "answer",
    [401, 403, 404, 405, 410, Scripted(302, headers={"Location": "https://elsewhere.example/"})],
    ids=str,
)
async def test_an_address_that_is_no_longer_valid_breaks_the_channel_and_says_what_to_fix(answer):
    async with TeamsInbox(answers=[answer]) as teams:
        with pytest.raises(ChannelTrouble, match="policy file") as trouble:
            await send(Receiver("ops", teams=teams.url))

    assert (trouble.value.recoverable, trouble.value.broken) == (True, True)
    assert "sig=" not in str(trouble.value)


async def test_an_address_nobody_listens_at_is_tried_again_and_never_shown():
    with pytest.raises(ChannelTrouble) as trouble:
        await send(Receiver("ops", teams="http://127.0.0.1:1/secret-path?sig=secret"))

    assert trouble.value.recoverable
    assert "secret" not in str(trouble.value)


@pytest.mark.parametrize("address", ["not an address", "file:///etc/passwd", "https://", "http://[::1"])
async def test_an_invalid_url_waits_until_the_policy_is_fixed(address):
    with pytest.raises(ChannelTrouble) as trouble:
        await send(Receiver("ops", webhook=address))

    assert trouble.value.broken
    assert "policy file" in str(trouble.value)


async def test_mail_is_complete_as_text_and_has_the_html_beside_it():
    async with MailInbox() as inbox:
        assert await send(Receiver("ops", email=OPS), smtp=inbox.url) == ""
        mail = inbox.messages[0]

    assert mail["subject"] == Letter().subject
    assert mail["to"] == "ops@example.org, night@example.org"
    assert mail["message-id"] == f"<{Letter().message_id}@example.org>"
    assert mail["references"] == mail["in-reply-to"] == "<wave-1@example.org>"
    assert mail["auto-submitted"] == "auto-generated"
    assert mail.get_body(("plain",)).get_content().replace("\r\n", "\n").strip() == Letter().text
    assert mail.get_body(("html",)).get_content().strip() == Letter().html


async def test_user_and_password_of_the_mail_server_come_from_its_address():
    async with MailInbox() as inbox:
        await send(Receiver("ops", email=OPS), smtp=inbox.url.replace("//", "//us%40er:p%3Ass@"))

        assert len(inbox.messages) == 1


@pytest.mark.parametrize("tls_first", [False, True])
async def test_mail_goes_over_tls_only_with_a_trusted_certificate(certificate, monkeypatch, tls_first):
    monkeypatch.setattr(email_smtp, "LOOPBACK", frozenset())
    inbox = MailInbox()
    inbox.certificate, inbox.tls_first = certificate.context(), tls_first
    async with inbox:
        server = inbox.url.replace("//", "//user:hunter2@")
        with pytest.raises(ChannelTrouble, match=r"does not fit: self-signed certificate\. .* SSL_CERT_FILE"):
            await send(Receiver("ops", email=OPS), smtp=server)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate.trusted))
        await send(Receiver("ops", email=OPS), smtp=server)

        assert len(inbox.messages) == 1


@pytest.mark.parametrize("tls_first", [False, True])
@pytest.mark.parametrize("secret", ["", "user:hunter2@"])
async def test_a_certificate_for_another_name_is_told_with_its_names_and_what_to_set(
    tmp_path, monkeypatch, tls_first, secret
):
    monkeypatch.setattr(email_smtp, "LOOPBACK", frozenset())
    relay = certificates.made_in(tmp_path, names=("relay.contoso.com", "mx.contoso.com"))
    monkeypatch.setenv("SSL_CERT_FILE", str(relay.trusted))
    inbox = MailInbox()
    inbox.certificate, inbox.tls_first = relay.context(), tls_first
    async with inbox:
        with pytest.raises(ChannelTrouble) as trouble:
            await send(Receiver("ops", email=OPS), smtp=inbox.url.replace("//", f"//{secret}"))

        assert inbox.messages == []
    said = trouble.value.sentence
    assert "does not fit: it is for relay.contoso.com, mx.contoso.com, not for 127.0.0.1" in said
    assert "BREAKWATER_SMTP" in said
    assert "hunter2" not in said
    assert (trouble.value.recoverable, trouble.value.broken) == (True, True)


async def test_an_expired_certificate_is_told_as_such(tmp_path, monkeypatch):
    old = certificates.made_in(tmp_path, hours=(-48, -24))
    monkeypatch.setenv("SSL_CERT_FILE", str(old.trusted))
    inbox = MailInbox()
    inbox.certificate = old.context()
    async with inbox:
        with pytest.raises(ChannelTrouble, match="does not fit: it has expired") as trouble:
            await send(Receiver("ops", email=OPS), smtp=inbox.url)

    assert trouble.value.broken


async def test_a_server_that_shows_no_names_the_second_time_is_told_without_them(tmp_path, monkeypatch):
    relay = certificates.made_in(tmp_path, names=("relay.contoso.com",))
    monkeypatch.setenv("SSL_CERT_FILE", str(relay.trusted))
    monkeypatch.setattr(certificate_of, "_names", nobody)
    inbox = MailInbox()
    inbox.certificate = relay.context()
    async with inbox:
        with pytest.raises(ChannelTrouble, match=r"it is not for 127\.0\.0\.1\. Use the name on"):
            await send(Receiver("ops", email=OPS), smtp=inbox.url)


async def nobody(*_: Any, **__: Any) -> list[str]:
    return []


async def test_a_password_does_not_cross_the_network_in_the_clear(monkeypatch):
    monkeypatch.setattr(email_smtp, "LOOPBACK", frozenset())
    async with MailInbox() as inbox:
        with pytest.raises(ChannelTrouble, match="offers no STARTTLS") as trouble:
            await send(Receiver("ops", email=OPS), smtp=inbox.url.replace("//", "//user:hunter2@"))
        await send(Receiver("ops", email=OPS), smtp=inbox.url)

        assert "hunter2" not in str(trouble.value)
        assert len(inbox.messages) == 1


@pytest.mark.parametrize(("code", "recoverable"), [(451, True), (421, True), (554, False)])
async def test_mail_refusals_say_whether_trying_again_can_help(code, recoverable):
    async with MailInbox(answers=[code]) as inbox:
        with pytest.raises(ChannelTrouble) as trouble:
            await send(Receiver("ops", email=OPS), smtp=inbox.url)

    assert trouble.value.recoverable is recoverable
    assert not trouble.value.broken
    assert str(code) in str(trouble.value)


@pytest.mark.parametrize("code", [530, 534, 535])
async def test_a_mail_server_that_requires_another_sign_in_breaks_the_channel(code):
    async with MailInbox(answers=[code]) as inbox:
        with pytest.raises(ChannelTrouble, match="BREAKWATER_SMTP") as trouble:
            await send(Receiver("ops", email=OPS), smtp=inbox.url)

    assert (trouble.value.recoverable, trouble.value.broken) == (True, True)


@pytest.mark.parametrize("code", [530, 535])
async def test_a_refused_sign_in_breaks_the_channel(code):
    async with MailInbox() as inbox:
        inbox.sign_in = code
        with pytest.raises(ChannelTrouble, match=f"answered {code}.*BREAKWATER_SMTP") as trouble:
            await send(Receiver("ops", email=OPS), smtp=inbox.url.replace("//", "//user:hunter2@"))

    assert (trouble.value.recoverable, trouble.value.broken) == (True, True)
    assert "hunter2" not in str(trouble.value)


async def test_a_mail_server_that_is_down_is_tried_again_and_its_password_never_shown():
    with pytest.raises(ChannelTrouble) as trouble:
        await send(Receiver("ops", email=OPS), smtp="smtp://user:hunter2@127.0.0.1:1")

    assert trouble.value.recoverable
    assert "hunter2" not in str(trouble.value)


async def test_without_a_way_to_send_mail_the_setting_is_named():
    with pytest.raises(ChannelTrouble, match="BREAKWATER_SMTP or BREAKWATER_ACS_ENDPOINT") as trouble:
        await send(Receiver("ops", email=OPS))

    assert trouble.value.broken


@pytest.mark.parametrize(
    "address", ["a@example.org\r\nBcc: all@example.org", "a@example.org, b@example.org", "nobody", "<>"]
)
async def test_an_address_cannot_smuggle_in_headers_or_recipients(address):
    async with MailInbox() as inbox:
        with pytest.raises(ChannelTrouble, match="is not a mail address"):
            await send(Receiver("ops", email=(address,)), smtp=inbox.url)

        assert inbox.messages == []


def test_a_subject_with_line_breaks_stays_one_header():
    mail = build(Letter(subject="[Paused] x\r\nBcc: all@example.org\n\nHello"), "b@example.org", OPS)  # type: ignore[arg-type]

    assert mail["bcc"] is None
    assert mail["subject"] == "[Paused] x Bcc: all@example.org Hello"


async def test_communication_services_get_one_mail_however_often_it_is_sent():
    async with AcsInbox() as inbox:
        for _ in range(2):
            assert await send(Receiver("ops", email=OPS), acs_endpoint=inbox.url) == ""

        (mail,) = inbox.messages
        assert mail.operation_id == "01234567-89ab-cdef-0123-456789abcdef"
        assert mail.body["recipients"]["to"] == [
            {"address": "ops@example.org"},
            {"address": "night@example.org"},
        ]
        assert mail.body["content"]["plainText"] == Letter().text
        assert mail.body["headers"]["X-Priority"] == "1 (Highest)"


@pytest.mark.parametrize(
    ("answer", "recoverable", "wait"),
    [
        (Scripted(429, retry_after=9), True, timedelta(seconds=9)),
        (503, True, None),
        (400, False, None),
        (404, True, None),
        (401, True, None),
    ],
)
async def test_communication_services_refusals_say_whether_trying_again_can_help(answer, recoverable, wait):
    async with AcsInbox(answers=[answer]) as inbox:
        with pytest.raises(ChannelTrouble) as trouble:
            await send(Receiver("ops", email=OPS), acs_endpoint=inbox.url)

        assert inbox.attempts == 1
    assert (trouble.value.recoverable, trouble.value.retry_after) == (recoverable, wait)


async def test_a_mail_communication_services_dropped_is_told():
    async with AcsInbox(outcome="Failed") as inbox:
        with pytest.raises(
            ChannelTrouble, match=r"took the mail and did not send it \(EmailDropped\)"
        ) as trouble:
            await send(Receiver("ops", email=OPS), acs_endpoint=inbox.url)

    assert not trouble.value.recoverable


def test_retry_after_is_seconds_or_a_date():
    assert asked_wait("30", NOW) == timedelta(seconds=30)
    assert asked_wait("Tue, 24 Nov 2026 12:01:00 GMT", NOW) == timedelta(minutes=1)
    assert asked_wait("Tue, 24 Nov 2020 12:01:00 GMT", NOW) == timedelta(0)
    assert [asked_wait(value, NOW) for value in (None, "", "soon", "1e999")] == [None] * 4


def test_addresses_are_redacted_to_their_hosts():
    assert redacted("POST https://a.example:8/x?sig=s failed") == "POST [address at a.example] failed"
    assert redacted("smtp://u:p@mail.example") == "[address at mail.example]"
