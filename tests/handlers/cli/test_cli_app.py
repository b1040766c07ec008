"""The commands that speak with a deployed app: how they reach it, what they send, how they tell its refusals."""

import itertools
import json

import pytest

from handlers.cli.main import main
from tests.golden.cli_waves import (
    ASKS,
    ORDINARY,
    PAUSED,
    TRACKING,
    WRONG,
    answers_of,
    document,
    terminal,
)
from tests.golden.pages import SUBSCRIPTION, at, runs_at
from tests.handlers.cli.stand_in import KEY, stand_in

LATER = at(WRONG).at
AGREED = ["--yes", "--actor", "Ana"]


def typed(app, *words, now=LATER, environment=None):
    """Exit code, standard output and standard error of a command."""
    with terminal(app.url, now) as (out, errors), pytest.MonkeyPatch.context() as shell:
        for name, value in (environment or {}).items():
            shell.setenv(name, value)
        code = main(list(words))
    return code, out.getvalue(), errors.getvalue()


def sent(app):
    return [(path, body) for method, path, _, body in app.asked if method == "POST"]


def test_a_wave_in_parts_is_read_to_its_end_and_the_later_of_two_counts():
    made = document(WRONG)
    first, *rest = made["runs"]
    part = {
        **made,
        "runs": [first, rest[0]],
        "next": f"https://gateway.example/api/waves/{TRACKING}.json?after=a",
    }
    last = {**made, "runs": [{**rest[0], "state": "completed"}, *rest[1:]], "next": None}
    answers = {f"GET waves/{TRACKING}.json": (200, part), f"GET waves/{TRACKING}.json?after=a": (200, last)}
    with stand_in(answers) as app:
        code, out, _ = typed(app, "show", TRACKING, "-o", "json")
    runs = json.loads(out)["runs"]
    assert code == 2
    assert len(runs) == len(made["runs"])
    assert next(run for run in runs if run["name"] == rest[0]["name"])["state"] == "completed"


def test_a_next_part_that_leads_in_a_circle_ends_the_command():
    made = {**document(WRONG), "next": f"/api/waves/{TRACKING}.json"}
    with stand_in({f"GET waves/{TRACKING}.json": (200, made)}) as app:
        code, _, errors = typed(app, "show", TRACKING)
    assert code == 1
    assert "leads nowhere" in errors
    assert len(app.asked) <= 2


@pytest.mark.parametrize("said", ["web-shop", "SHOP/Web-Shop", "arm id"])
def test_a_scale_set_is_found_by_its_name_its_group_and_name_or_its_arm_id(said):
    with stand_in(answers_of(WRONG)) as app:
        web = next(run for run in runs_at(WRONG) if run.target.name == "web-shop")
        code, out, _ = typed(
            app, "show", TRACKING, web.target.id.upper() if said == "arm id" else said, "-o", "json"
        )
    assert code == 2
    assert json.loads(out)["scale_set"] == web.target.id


def test_a_name_that_fits_several_is_refused_with_what_to_type():
    made = document(WRONG)
    web = next(run for run in made["runs"] if run["name"] == "web-shop")
    other = {**web, "resource_group": "other", "scale_set": web["scale_set"].replace("/shop/", "/other/")}
    made = {**made, "runs": [*made["runs"], other]}
    with stand_in({f"GET waves/{TRACKING}.json": (200, made)}) as app:
        code, _, errors = typed(app, "hold", TRACKING, "web-shop", *AGREED)
        assert code == 64
        assert "shop/web-shop, other/web-shop" in errors
        assert sent(app) == []
        _, out, _ = typed(app, "show", TRACKING, "-o", "plain")
    assert {"shop/web-shop", "other/web-shop"} <= {line.split("\t")[0] for line in out.splitlines()}


def test_a_name_that_fits_none_is_refused_with_those_it_may_have_meant():
    with stand_in(answers_of(WRONG)) as app:
        code, _, errors = typed(app, "show", TRACKING, "prod")
    assert code == 1
    assert "search-prod" in errors


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (400, {"reason": "`comment` must be text."}, "Refused, nothing was changed: `comment` must be text."),
        (404, {"reason": "No run of this scale set is on record."}, "No run of this scale set is on record."),
        (409, {"reason": "Somebody holds it."}, "Refused, nothing was changed: Somebody holds it."),
        (503, {"reason": "Storage is down."}, "Storage is down. Try again in a minute."),
        (500, None, "answered 500"),
        (302, None, "sends the caller elsewhere"),
    ],
)
def test_a_refusal_is_told_as_a_sentence(status, body, says):
    place = f"{SUBSCRIPTION}/shop/{PAUSED}"
    with stand_in({**answers_of(WRONG), f"POST waves/{TRACKING}/{place}/hold": (status, body)}) as app:
        code, out, errors = typed(app, "hold", TRACKING, PAUSED, *AGREED, "-o", "json")
    assert code == 1
    assert out == ""
    assert says in errors


def test_what_the_app_takes_names_who_why_and_the_plan_that_was_shown():
    with stand_in(answers_of(WRONG)) as app:
        code, _, _ = typed(app, "hold", TRACKING, PAUSED, *AGREED, "--reason", "Not tonight.")
    checksum = next(run for run in runs_at(WRONG) if run.target.name == PAUSED).people.checksum
    assert code == 0
    assert sent(app) == [
        (
            f"waves/{TRACKING}/{SUBSCRIPTION}/shop/{PAUSED}/hold",
            {"actor": "Ana", "comment": "Not tonight.", "checksum": checksum},
        )
    ]


def test_a_plan_that_is_another_one_by_now_is_not_approved():
    asks = ASKS
    with stand_in(answers_of(ORDINARY)) as app:
        code, _, errors = typed(app, "approve", TRACKING, asks, *AGREED, "--checksum", "0123456789abcdef")
        assert code == 1
        assert "by now, not 0123456789abcdef" in errors
        code, _, errors = typed(app, "approve", TRACKING, asks, *AGREED)
        assert code == 64
        assert "--checksum" in errors
    assert sent(app) == []


def test_nothing_is_sent_without_a_terminal_to_ask_on_unless_yes_is_typed():
    with stand_in(answers_of(WRONG)) as app:
        code, _, errors = typed(app, "hold", TRACKING, PAUSED, "--actor", "Ana")
        assert (code, "--yes" in errors) == (64, True)
        code, _, errors = typed(app, "hold", TRACKING, PAUSED, "--yes")
        assert (code, "--actor" in errors) == (64, True)
    assert sent(app) == []


@pytest.mark.parametrize(
    ("words", "path", "fields"),
    [
        (["skip", "W", "web-shop", "--instance", "3", "--domain", "a, b"], "S/skip", {"instances": ["3"], "domains": ["a, b"]}),
        (["raise", "W", "web-shop", "soak=5m", "windows=Sun 02:00-10:00 UTC"], "S/raise", {"soak": "5m", "windows": "Sun 02:00-10:00 UTC"}),
        (["pass", "W", "web-shop"], "S/let-pass", {}),
        (["raise", "W", "scale-sets=9"], "raise", {"scale-sets": "9"}),
    ],
)  # fmt: skip
def test_a_command_sends_what_was_typed(words, path, fields):
    with stand_in(answers_of(WRONG)) as app:
        code, _, errors = typed(app, *[TRACKING if word == "W" else word for word in words], *AGREED)
    ((where, body),) = sent(app)
    assert code == 0, errors
    assert where == f"waves/{TRACKING}/{path.replace('S', f'{SUBSCRIPTION}/shop/web-shop')}"
    assert {key: value for key, value in body.items() if key not in {"actor", "checksum"}} == fields


def test_a_command_for_the_whole_wave_says_which_scale_sets():
    with stand_in(
        {**answers_of(WRONG), f"POST waves/{TRACKING}/skip": (202, {"reason": "2 scale sets took it."})}
    ) as app:
        code, out, _ = typed(app, "skip", TRACKING, "--runs", "late", *AGREED)
        assert code == 0
        assert "has no place before its deadline" in out
        assert "2 scale sets took it." in out
        for wrongly in (
            ["--runs", "some"],
            [],
            ["web-shop", "--runs", "all"],
            ["--runs", "all", "--instance", "3"],
        ):
            assert typed(app, "skip", TRACKING, *wrongly, *AGREED)[0] == 64
    assert [body for _, body in sent(app)] == [{"actor": "Ana", "runs": "late"}]


def test_the_key_comes_from_a_file_or_the_environment_and_what_is_typed_next_names_the_file(tmp_path):
    file = tmp_path / "key.txt"
    file.write_text(f"{KEY}\n")
    with stand_in(answers_of(WRONG)) as app:
        code, out, _ = typed(
            app, "show", TRACKING, "--key-file", str(file), environment={"BREAKWATER_KEY": "other"}
        )
    assert code == 2
    assert f"breakwater resume {TRACKING} {PAUSED} --key-file {file}" in out


@pytest.mark.parametrize(
    ("words", "environment", "says"),
    [
        (["waves"], {"BREAKWATER_KEY": ""}, "asks for a key"),
        (["waves"], {"BREAKWATER_KEY": "wrong"}, "refused the key"),
        (["waves"], {"BREAKWATER_KEY": "two\nwords"}, "is not a key"),
        (["waves"], {"BREAKWATER_PUBLIC_URL": ""}, "--app https://HOST"),
        (["waves", "--app", "http://app.example"], {}, "use https"),
        (["waves", "--app", f"https://app.example?code={KEY}"], {}, "alone"),
        (["waves", "--app", f"https://ana:{KEY}@app.example"], {}, "alone"),
        (["waves", "--app", f"https://app.example/api/waves?code={KEY}"], {}, "without a path"),
        (["waves", "--app", "http://127.0.0.1:9"], {}, "connection refused"),
        (["show", "NONE"], {}, "no Breakwater"),
    ],
)
def test_an_app_that_cannot_be_asked_is_told_with_what_to_do_and_without_the_key(words, environment, says):
    with stand_in({}) as app:
        code, out, errors = typed(app, *words, environment=environment)
    assert code == 1
    assert says in errors
    assert KEY not in out + errors
    assert "two\n" not in errors


def test_an_answer_that_is_not_breakwaters_is_no_wave():
    with stand_in({"GET waves.json": (200, {"hello": 1}), "GET waves/X.json": (200, ["x"])}) as app:
        for words in (["waves"], ["show", "X"], ["watch", "X"]):
            code, _, errors = typed(app, *words)
            assert (code, "not Breakwater's" in errors) == (1, True)


def test_a_redirect_is_not_followed_with_the_key():
    with stand_in({}) as elsewhere, stand_in({"GET waves.json": (302, None)}) as app:
        app.headers["location"] = f"{elsewhere.url}/api/waves.json"
        code, _, errors = typed(app, "waves")
        assert code == 1
        assert "sends the caller elsewhere" in errors
        assert elsewhere.asked == []


def test_with_an_audience_the_callers_own_sign_in_goes_along(monkeypatch):
    async def token(audience: str) -> str:
        assert audience == "api://app"
        return "a-token-of-anas"

    monkeypatch.setattr("handlers.cli.app_client._token", token)
    with stand_in({"GET waves.json": (200, [])}) as app:
        code, out, errors = typed(app, "waves", "--audience", "api://app")
    (_, _, headers, _) = app.asked[0]
    assert code == 0
    assert headers["Authorization"] == "Bearer a-token-of-anas"
    assert "a-token-of-anas" not in out + errors


def test_who_is_not_signed_in_is_told_to_sign_in(monkeypatch):
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")
    for name in ("AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_CLIENT_SECRET"):
        monkeypatch.delenv(name, raising=False)
    with stand_in({}) as app:
        code, _, errors = typed(app, "waves", "--audience", "api://app")
    assert code == 1
    assert "az login" in errors
    assert app.asked == []


def test_a_watch_tells_what_changes_and_goes_on_when_the_app_does_not_answer(monkeypatch):
    before = document(WRONG)
    line = {"at": "2026-11-23T10:30:00Z", "actor": "Ana", "event": "resume", "reason": "Go on.", "id": "1"}
    after = {
        **before,
        "planning": 0,
        "runs": [{**run, "state": "completed", "history": [*run["history"], line]} for run in before["runs"]],
    }
    with stand_in({f"GET waves/{TRACKING}.json": (200, before)}) as app:
        steps = [(503, {"error": "Storage is down."}), (503, {"error": "Storage is down."}), (200, after)]

        async def wait(seconds):
            app.answers[f"GET waves/{TRACKING}.json"] = steps.pop(0)

        monkeypatch.setattr("handlers.cli.watching.asyncio.sleep", wait)
        code, out, errors = typed(app, "watch", TRACKING)
    lines = out.splitlines()
    assert code == 0
    assert [line.split()[:3] for line in lines[: len(before["runs"])]] == [
        [f"{LATER:%Y-%m-%d}", f"{LATER:%H:%M:%SZ}", run["name"]] for run in before["runs"]
    ]
    assert lines[-1].startswith("2026-11-23 10:30:00Z ")
    assert "Ana: resume: Go on." in lines[-1]
    assert errors.count("Storage is down.") == 1


def in_zones(*zones: str) -> dict:
    """The ordinary wave, its scale sets' windows in these zones."""
    made = document(ORDINARY)
    runs = [{**run, "zone": zone} for run, zone in zip(made["runs"], itertools.cycle(zones), strict=False)]
    return {f"GET waves/{TRACKING}.json": (200, {**made, "runs": runs})}


@pytest.mark.parametrize(
    ("zones", "deadline"),
    [
        (["Europe/Berlin"], "08:00 CET"),
        (["Asia/Tokyo", "UTC"], "16:00 JST"),
        (["Europe/Berlin", "Asia/Tokyo"], "07:00 UTC"),
        (["Mars/Olympus"], "07:00 UTC"),
    ],
)
def test_a_wave_is_told_in_the_zone_of_its_windows_where_they_share_one(zones, deadline):
    with stand_in(in_zones(*zones)) as app:
        _, out, _ = typed(app, "show", TRACKING)
    assert f"next deadline Mon 30 Nov {deadline}" in out


def test_a_scale_set_is_told_in_its_own_zone_and_the_columns_of_moments_say_so():
    with stand_in(in_zones("Asia/Tokyo")) as app:
        _, out, _ = typed(app, "show", TRACKING, ASKS)
    assert "When (JST)" in out
    assert "from Sun 29 Nov 10:00" in out
    assert " UTC" not in out.replace("Sun 29 Nov 02:00-03:30 CET", "")
