"""The inboxes, spoken to by the clients the product uses."""

import asyncio
import email.policy
import json
from email.message import EmailMessage
from pathlib import Path

import aiohttp
import aiosmtplib
import pytest
from azure.communication.email.aio import EmailClient
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import HttpResponseError

from simulator.inboxes import AcsInbox, MailInbox, Scripted, TeamsInbox
from simulator.inboxes.acs import KEY

CARD = {
    "type": "message",
    "attachments": [
        {"content": {"type": "AdaptiveCard", "body": [{"type": "TextBlock", "text": "Wave VM8T: web"}]}}
    ],
}


async def test_teams_answers_202_keeps_the_message_and_saves_it(tmp_path: Path) -> None:
    async with TeamsInbox(folder=tmp_path) as teams, aiohttp.ClientSession() as client:
        async with client.post(teams.url, json=CARD) as answer:
            assert answer.status == 202
        (post,) = await teams.wait_for(len)
    assert post.body == CARD
    assert post.headers["Content-Type"] == "application/json"
    saved = tmp_path / "001-wave-vm8t-web.json"
    assert json.loads(saved.read_text()) == CARD


async def test_teams_refuses_what_is_too_large_or_no_json_and_keeps_none_of_it() -> None:
    async with TeamsInbox() as teams, aiohttp.ClientSession() as client:
        async with client.post(teams.url, json={"text": "x" * 28 * 1024}) as answer:
            assert answer.status == 413
        async with client.post(teams.url, data=b"hello") as answer:
            assert answer.status == 400
        async with client.post(teams.url, json={"text": "x" * 27 * 1024}) as answer:
            assert answer.status == 202
    assert len(teams.messages) == 1


async def test_scripted_answers_come_first_and_an_answer_lost_on_its_way_still_keeps_the_message() -> None:
    script = [503, Scripted(429, retry_after=7), Scripted(504, keep=True)]
    async with TeamsInbox(answers=script, path="/hook") as inbox, aiohttp.ClientSession() as client:
        heard = []
        for number in range(4):
            async with client.post(inbox.url, json={"n": number}) as answer:
                heard.append((answer.status, answer.headers.get("Retry-After")))
        assert heard == [(503, None), (429, "7"), (504, None), (202, None)]
        assert [post.body for post in inbox.messages] == [{"n": 2}, {"n": 3}]
        assert inbox.attempts == 4


async def test_waiting_for_a_message_ends_when_it_arrives_and_says_what_came_when_it_does_not() -> None:
    async with TeamsInbox() as teams, aiohttp.ClientSession() as client:
        waiting = asyncio.create_task(teams.wait_for(lambda posts: len(posts) == 2))
        for _ in range(2):
            await client.post(teams.url, json={})
        assert len(await waiting) == 2
        with pytest.raises(AssertionError, match="2 messages"):
            await teams.wait_for(lambda posts: len(posts) == 3, timeout=0.05)


def letter() -> EmailMessage:
    message = EmailMessage(policy=email.policy.SMTP)
    message["From"], message["To"] = "breakwater@example.com", "ops@example.com"
    message["Subject"] = "[Needs approval] db-prod · Käse"
    message.set_content("plain")
    message.add_alternative("<p>html</p>", subtype="html")
    return message


async def test_mail_is_kept_parsed_and_saved(tmp_path: Path) -> None:
    async with MailInbox(folder=tmp_path) as mail:
        await aiosmtplib.send(letter(), hostname="127.0.0.1", port=mail.port)
        (kept,) = await mail.wait_for(len)
    assert kept["Subject"] == "[Needs approval] db-prod · Käse"
    html = kept.get_body(("html",))
    assert html is not None
    assert html.get_content().strip() == "<p>html</p>"
    assert b"Needs" in (tmp_path / "001-needs-approval-db-prod-k-se.eml").read_bytes()


async def test_mail_accepts_any_login_and_gives_its_scripted_codes_at_the_end_of_the_data() -> None:
    async with MailInbox(answers=[451]) as mail:
        login = {"hostname": "127.0.0.1", "port": mail.port, "username": "user", "password": "any"}
        with pytest.raises(aiosmtplib.SMTPDataError) as refused:
            await aiosmtplib.send(letter(), **login)
        assert refused.value.code == 451
        assert mail.messages == []
        await aiosmtplib.send(letter(), **login)
        assert len(mail.messages) == 1


def acs_mail(subject: str = "Wave VM8T") -> dict[str, object]:
    return {
        "senderAddress": "breakwater@example.com",
        "recipients": {"to": [{"address": "ops@example.com"}]},
        "content": {"subject": subject, "plainText": "plain"},
    }


async def test_acs_sends_once_per_operation_id_through_throttling_and_repeats(tmp_path: Path) -> None:
    operation = "11111111-2222-3333-4444-555555555555"
    async with (
        AcsInbox(answers=[Scripted(429, retry_after=0)], folder=tmp_path) as acs,
        EmailClient(acs.url, AzureKeyCredential(KEY)) as client,
    ):
        for _ in range(2):
            poller = await client.begin_send(acs_mail(), operation_id=operation, polling_interval=0)
            assert (await poller.result())["status"] == "Succeeded"
    assert acs.attempts == 3
    (sent,) = acs.messages
    assert (sent.operation_id, sent.subject) == (operation, "Wave VM8T")
    assert sent.headers["Authorization"].startswith("HMAC-SHA256 ")
    assert (tmp_path / "001-wave-vm8t.json").exists()


async def test_acs_tells_of_a_dropped_mail_as_a_failed_operation() -> None:
    async with AcsInbox(outcome="Failed") as acs, EmailClient(acs.url, AzureKeyCredential(KEY)) as client:
        poller = await client.begin_send(acs_mail(), polling_interval=0)
        with pytest.raises(HttpResponseError, match="EmailDropped"):
            await poller.result()


async def test_acs_refuses_a_request_without_credentials() -> None:
    async with (
        AcsInbox() as acs,
        aiohttp.ClientSession() as client,
        client.post(f"{acs.url}/emails:send", json=acs_mail()) as answer,
    ):
        assert answer.status == 401
    assert acs.messages == []
