from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.azure.fleet import ScaleSet
from planner.policy.durations import Share
from planner.policy.keys import COUNTER_INDICATIONS, MAY_BE_LOOSENED, PARSERS, TAG_KEYS
from planner.policy.model import (
    Freeze,
    HealthRule,
    Match,
    Mode,
    Policy,
    Receiver,
    Route,
    Rule,
    Rules,
    SelfService,
)
from planner.policy.resolve import rules_for
from planner.policy.weekly import parse_windows


def scale_set(**tags: str) -> ScaleSet:
    return ScaleSet(
        id="/subscriptions/s1/resourceGroups/RG-Shop-Prod/providers/x/virtualMachineScaleSets/Web",
        subscription="s1",
        resource_group="RG-Shop-Prod",
        name="Web",
        location="East US 2",
        tags={f"breakwater-{key.replace('_', '-')}": value for key, value in tags.items()},
    )


def rules(policy: Policy | None = None, **tags: str) -> Rules:
    return rules_for(policy or Policy(), scale_set(**tags))


def ruled(*may_loosen: str, **values: str) -> Policy:
    """A policy whose one rule matches everything."""
    written = {key.replace("_", "-"): value for key, value in values.items()}
    return Policy(rules=(Rule("all", Match(), written, frozenset(may_loosen)),))


def test_with_nothing_said_what_is_built_in_holds():
    found = rules()
    assert found == Rules(sources=found.sources)
    assert (found.self_service, found.mode, found.health) == ("when-needed", "auto", "if-reported")
    assert (found.lead, found.soak, found.recover_within) == (
        timedelta(hours=24),
        timedelta(minutes=30),
        timedelta(minutes=60),
    )
    assert (found.max_unavailable, found.default_share, found.counts_in) == ((), True, ())
    assert set(found.sources) == set(PARSERS)
    assert set(found.sources.values()) == {"built in"}


def test_the_most_specific_wins_tag_then_first_matching_rule_then_defaults():
    policy = Policy(
        defaults={"soak": "40m", "tier": "back", "recover-within": "10m"},
        rules=(
            Rule("other", Match(name=("db*",)), {"soak": "1m"}),
            Rule("shop", Match(resource_group=("rg-shop-*",)), {"soak": "50m", "recover-within": "20m"}),
            Rule("late", Match(), {"soak": "55m", "tier": "front"}),
        ),
    )
    found = rules(policy, soak="60m")
    assert found.soak == timedelta(minutes=60)
    assert found.recover_within == timedelta(minutes=20)
    assert found.tier == "back"
    assert found.sources["soak"] == "tag breakwater-soak"
    assert found.sources["recover-within"] == "rule 2 (shop)"
    assert found.sources["tier"] == "defaults"
    assert found.sources["mode"] == "built in"
    assert found.notes == found.problems == ()


def test_tags_are_read_in_any_case():
    tagged = ScaleSet("id", "s1", "rg", "web", "westeurope", tags={"BreakWater-Self-Service": " NEVER "})
    assert rules_for(Policy(), tagged).self_service is SelfService.NEVER


LOOSENING = [
    # key, what the file says, a looser tag, a tighter tag, how the three come out
    ("self-service", "when-needed", "always", "never", lambda r: r.self_service),
    ("self-service", "never", "when-needed", "never", lambda r: r.self_service),
    ("mode", "approve", "auto", "observe", lambda r: r.mode),
    ("mode", "observe", "approve", "observe", lambda r: r.mode),
    ("soak", "30m", "29m59s", "31m", lambda r: r.soak),
    ("health", "required", "if-reported", "required", lambda r: r.health),
    ("health", "if-reported", "ignore", "required", lambda r: r.health),
    ("complete-by", "2026-12-01", "2026-12-02", "2026-11-30", lambda r: r.complete_by),
    ("complete-by", "2026-12-01", "none", "2026-11-30", lambda r: r.complete_by),
    ("accept", "local-state", "local-state,short-lived", "none", lambda r: r.accept),
    *((key, "true", "false", "true", lambda r: r.declared) for key in COUNTER_INDICATIONS),
]


@pytest.mark.parametrize(("key", "file", "looser", "tighter", "read"), LOOSENING)
def test_a_tag_loosens_only_with_permission_and_tightens_always(key, file, looser, tighter, read):
    name = key.replace("-", "_")
    as_filed = read(rules(ruled(**{name: file})))
    refused = rules(ruled(**{name: file}), **{name: looser})
    assert read(refused) == as_filed
    assert refused.problems == ()
    (note,) = refused.notes
    assert f"Tag breakwater-{key}: `{looser}` is looser" in note
    assert f"list {key} under tags-may-loosen" in note

    permitted = rules(ruled(key, **{name: file}), **{name: looser})
    assert permitted.notes == ()
    assert read(permitted) == read(rules(ruled(**{name: looser}))) != as_filed

    tightened = rules(ruled(**{name: file}), **{name: tighter})
    assert tightened.notes == ()
    assert read(tightened) == read(rules(ruled(**{name: tighter})))
    assert tightened.sources[key] == f"tag breakwater-{key}"


def test_against_what_is_built_in_a_tag_needs_permission_too():
    found = rules(self_service="always", soak="1m", health="ignore", accept="local-state")
    assert found.self_service is SelfService.WHEN_NEEDED
    assert found.soak == timedelta(minutes=30)
    assert found.health is HealthRule.IF_REPORTED
    assert found.accept == ()
    assert len(found.notes) == 4
    assert "(built in)" in found.notes[0]


def test_a_rule_that_says_nothing_about_loosening_leaves_it_to_the_defaults():
    silent = Policy(rules=(Rule("all", Match(), {"soak": "30m"}),), tags_may_loosen=frozenset({"soak"}))
    assert rules(silent, soak="1m").soak == timedelta(minutes=1)
    strict = Policy(
        rules=(Rule("all", Match(), {}, tags_may_loosen=frozenset()),), tags_may_loosen=frozenset({"soak"})
    )
    assert rules(strict, soak="1m").soak == timedelta(minutes=30)


def test_windows_of_file_and_tag_must_both_be_open():
    file, tag = "Sat,Sun 00:00-24:00 UTC", "daily 02:00-06:00 UTC"
    found = rules(ruled(windows=file), windows=tag)
    assert found.windows == (parse_windows(file), parse_windows(tag))
    assert found.sources["windows"] == "rule 1 (all) and tag breakwater-windows"
    assert rules(windows=tag).windows == (parse_windows(tag),)
    assert rules(ruled(windows=file)).windows == (parse_windows(file),)
    assert rules(ruled(windows="any time")).windows == ()


def test_windows_of_a_tag_replace_the_files_only_with_permission():
    file, tag = "Sat,Sun 00:00-24:00 UTC", "daily 02:00-06:00 UTC"
    assert rules(ruled("windows", windows=file), windows=tag).windows == (parse_windows(tag),)
    assert rules(ruled("windows", windows=file), windows="any time").windows == ()
    refused = rules(ruled(windows=file), windows="any time")
    assert refused.windows == (parse_windows(file),)
    assert "list windows under tags-may-loosen" in refused.notes[0]


def test_of_two_shares_both_stay_so_that_the_smaller_counts():
    found = rules(ruled(max_unavailable="20%"), max_unavailable="3")
    assert found.max_unavailable == (Share(percent=20), Share(count=3))
    assert not found.default_share
    assert found.notes == ()
    assert rules(ruled(max_unavailable="2"), max_unavailable="3").notes
    assert rules(ruled(max_unavailable="2"), max_unavailable="1").notes == ()


def test_a_share_from_a_tag_alone_leaves_the_built_in_limit_standing():
    found = rules(max_unavailable="50%")
    assert found.max_unavailable == (Share(percent=50),)
    assert found.default_share
    assert "the smaller of the two counts" in found.notes[0]
    assert rules(max_unavailable="1").notes == ()


def test_a_share_from_the_file_or_with_permission_replaces_the_built_in_limit():
    assert rules(ruled(max_unavailable="50%")).default_share is False
    permitted = rules(ruled("max-unavailable"), max_unavailable="50%")
    assert (permitted.max_unavailable, permitted.default_share) == ((Share(percent=50),), False)
    back = Policy(
        defaults={"max-unavailable": "50%"}, rules=(Rule("r", Match(), {"max-unavailable": "default"}),)
    )
    assert (rules(back).max_unavailable, rules(back).default_share) == ((), True)


def test_of_what_a_tag_accepts_only_what_the_file_accepts_too_counts():
    found = rules(ruled(accept="local-state, managed"), accept="managed,short_lived")
    assert found.accept == ("managed",)
    assert len(found.notes) == 1


def test_tier_and_predecessors_of_a_tag_replace_the_files():
    found = rules(ruled(tier="front", after="db; cache"), tier="Back office", after="queue")
    assert (found.tier, found.after) == ("Back office", ("queue",))
    assert rules(ruled(after="db; cache,db")).after == ("db", "cache")
    assert rules(ruled(after="db"), after="none").after == ()


def test_no_tier_and_predecessors_beside_none_are_told_apart():
    assert rules(ruled(tier="front"), tier="none").tier == ""
    assert "says both none and a name" in rules(after="db,none").problems[0]
    assert "is not the name of a check" in rules(accept="Local state").problems[0]


def test_declared_counter_indications_come_in_one_order():
    found = rules(ruled(often_resized="true", local_state="yes"), scheduled_events="on", short_lived="false")
    assert found.declared == ("scheduled-events", "local-state", "often-resized")
    assert found.notes == ()


MALFORMED = {
    "self-service": "alwasy",
    "mode": "go",
    "windows": "Sat 2-6",
    "complete-by": "soon",
    "tier": "",
    "after": "a,,b",
    "soak": "30",
    "max-unavailable": "0",
    "health": "good",
    "recover-within": "0s",
    "stalled-after": "0s",
    "accept": "*",
    **dict.fromkeys(COUNTER_INDICATIONS, "maybe"),
}


def test_every_key_has_a_malformed_value_here_but_the_owner():
    assert set(MALFORMED) == set(TAG_KEYS) - {"owner"}
    assert set(MAY_BE_LOOSENED) < set(TAG_KEYS)


@pytest.mark.parametrize(("key", "value"), MALFORMED.items())
def test_a_malformed_value_is_a_problem_that_names_its_place_and_never_falls_back_silently(key, value):
    name = key.replace("-", "_")
    (problem,) = rules(**{name: value}).problems
    assert problem.startswith(f"Tag breakwater-{key}: ")
    assert "write" in problem or "looks like" in problem
    assert problem.endswith(".")
    (problem,) = rules(ruled(**{name: value})).problems
    assert problem.startswith(f"Rule 1 (all), {key}: ")
    (problem,) = rules(Policy(defaults={key: value})).problems
    assert problem.startswith(f"Defaults, {key}: ")


def test_a_malformed_tag_leaves_the_files_value_beside_the_problem():
    found = rules(ruled("soak", soak="2h"), soak="x")
    assert found.soak == timedelta(hours=2)
    assert found.sources["soak"] == "rule 1 (all)"
    assert len(found.problems) == 1


def test_a_misspelt_choice_is_answered_with_the_nearest():
    (problem,) = rules(self_service="allways").problems
    assert "did you mean `always`?" in problem
    assert "never, when-needed, always" in problem


def test_an_unknown_tag_is_noted_with_the_nearest_one():
    found = rules(self_servise="never", quux="1")
    assert found.problems == ()
    assert [("did you mean `self-service`?" in note) for note in found.notes] == [False, True]
    assert all("there is no such tag" in note for note in found.notes)


@pytest.mark.parametrize("key", ["lead", "freezes", "limits", "receivers", "routes", "tags-may-loosen"])
def test_what_only_the_file_may_say_is_noted_when_a_tag_says_it(key):
    found = rules(**{key.replace("-", "_"): "1s"})
    assert found.lead == timedelta(hours=24)
    assert found.problems == ()
    assert "policy file only" in found.notes[0]


def test_a_stop_tag_blocks_and_says_what_to_write():
    (problem,) = rules(stop="true").problems
    assert "breakwater-self-service = never" in problem


def test_foreign_tags_mean_nothing():
    tagged = ScaleSet(
        "id", "s1", "rg", "web", "westeurope", tags={"env": "prod", "breakwater": "x", "soak": "x"}
    )
    found = rules_for(Policy(), tagged)
    assert found.notes == found.problems == ()


def test_lead_comes_from_the_file():
    assert rules(ruled(lead="5s")).lead == timedelta(seconds=5)


def test_a_policy_that_could_not_be_read_is_a_problem_of_every_scale_set():
    assert rules(Policy(problem="the policy file is not YAML")).problems == ("The policy file is not YAML.",)


def test_a_stop_says_what_has_stopped_everything():
    assert rules(Policy()).stop == ""
    assert "`stop: true` in the policy file" in rules(Policy(stop=True)).stop
    assert "BREAKWATER_STOP" in rules(Policy(stop=True, stopped_by="the setting BREAKWATER_STOP")).stop


def test_only_the_freezes_about_this_scale_set_apply():
    start, end = datetime(2026, 12, 20, tzinfo=UTC), datetime(2027, 1, 3, tzinfo=UTC)
    everywhere = Freeze(start, end, "holidays")
    elsewhere = Freeze(start, end, "move", Match(location=("westeurope",)))
    assert rules(Policy(freezes=(everywhere, elsewhere))).freezes == (everywhere,)
    assert start in everywhere
    assert end not in everywhere


def everyone(*names: str) -> tuple[Receiver, ...]:
    return tuple(Receiver(name) for name in names)


def test_the_owner_is_found_from_tag_down_to_the_first_receiver():
    names = everyone("first", "Default", "route", "filed", "tagged")
    routes = (Route(Match(name=("db*",)), "filed"), Route(Match(), "route"), Route(Match(), "filed"))

    def owner(policy: Policy, **tags: str) -> tuple[str, str]:
        found = rules(policy, **tags)
        assert found.problems == found.notes == ()
        return found.owner, found.sources["owner"]

    ruled_by = (Rule("all", Match(), {"owner": "filed"}),)
    full = Policy(rules=ruled_by, receivers=names, routes=routes, defaults={"owner": "first"})
    assert owner(full, owner="TAGGED") == ("tagged", "tag breakwater-owner")
    assert owner(full) == ("filed", "rule 1 (all)")
    assert owner(Policy(receivers=names, routes=routes, defaults={"owner": "first"})) == ("route", "route 2")
    assert owner(Policy(receivers=names, defaults={"owner": "first"})) == ("first", "defaults")
    assert owner(Policy(receivers=names)) == ("Default", "built in")
    assert owner(Policy(receivers=everyone("first", "second"))) == ("first", "built in")
    assert owner(Policy()) == ("", "built in")


def test_an_owner_nobody_declared_is_noted_and_somebody_else_is_told():
    found = rules(Policy(receivers=everyone("ops", "dba")), owner="obs")
    assert found.owner == "ops"
    assert found.problems == ()
    assert "no receiver `obs`, did you mean `ops`?" in found.notes[0]


@pytest.mark.parametrize(
    ("match", "matches"),
    [
        (Match(), True),
        (Match(subscription=("S1",), resource_group=("rg-*-prod",), name=("w?b",)), True),
        (Match(name=("db*", "web")), True),
        (Match(name=("db*",)), False),
        (Match(name=("web",), resource_group=("other",)), False),
        (Match(location=("eastus2",)), True),
        (Match(location=("East US*",)), True),
        (Match(location=("eastus",)), False),
        (Match(tags={"ENV": ("pro*", "x")}), True),
        (Match(tags={"env": ("dev",)}), False),
        (Match(tags={"env": ("*",), "team": ("*",)}), False),
    ],
)
def test_a_match_wants_every_field_and_any_of_its_globs_in_any_case(match, matches):
    web = ScaleSet("id", "s1", "RG-Shop-Prod", "Web", "East US 2", tags={"Env": "Prod"})
    assert match(web) is matches


def test_secret_addresses_are_not_in_what_is_printed():
    policy = Policy(
        receivers=(Receiver("ops", teams="https://secret.example/1", webhook="https://secret.example/2"),)
    )
    assert "secret" not in repr(policy)


VALUES = [
    *MALFORMED.values(),
    *(value for row in LOOSENING for value in row[1:4]),
    "1",
    "100%",
    "0s",
    "any time",
    "",
]


@given(st.dictionaries(st.sampled_from([*TAG_KEYS, "lead", "x"]), st.sampled_from(VALUES)))
def test_whatever_the_tags_say_rules_come_out_no_looser_than_the_file(values):
    found = rules(**{key.replace("-", "_"): value for key, value in values.items()})
    assert found.self_service is not SelfService.ALWAYS
    assert found.soak >= timedelta(minutes=30)
    assert found.health is not HealthRule.IGNORE
    assert found.mode in Mode
    assert found.accept == ()
    assert found.default_share
