import json
import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.wire.policy_file import PolicyError, load, schema
from handlers.wire.policy_shape import PolicyShape
from planner.azure.fleet import ScaleSet
from planner.policy.durations import Share
from planner.policy.keys import PARSERS, TAG_KEYS
from planner.policy.model import Limits, Match, MatchLimit, Policy, Rules, SelfService
from planner.policy.resolve import rules_for
from planner.policy.weekly import parse_windows
from tests.places import DOCS

SECRET = "https://hooks.example.com/workflows/s3cr3t"
ENVIRONMENT = {"OPS_TEAMS_URL": SECRET, "DBA_WEBHOOK_URL": SECRET + "/2", "EMPTY": " "}


def read(text: str) -> Policy:
    return load(text, environment=ENVIRONMENT)


def faults(text: str) -> tuple[str, ...]:
    with pytest.raises(PolicyError) as caught:
        read(text)
    assert caught.value.problems
    for problem in caught.value.problems[:20]:
        assert problem in str(caught.value)
    return caught.value.problems


def fault(text: str) -> str:
    (only,) = faults(text)
    return only


def rules(text: str) -> Rules:
    return rules_for(read(text), ScaleSet("id", "s1", "rg", "web", "westeurope"))


def example() -> str:
    return re.findall(r"```yaml\n(.*?)```", (DOCS / "policy.md").read_text("utf-8"), re.DOTALL)[0]


def test_the_documented_example_means_what_it_says():
    policy = read(example())
    database = ScaleSet("id", "s1", "RG-Shop-Prod", "db-1", "westeurope")
    found = rules_for(policy, database)
    assert found.problems == found.notes == ()
    assert found.self_service is SelfService.ALWAYS
    assert found.mode == "approve"
    assert found.soak == timedelta(hours=2)
    assert found.owner == "dba"
    assert found.windows == (parse_windows("Sat,Sun 02:00-06:00 Europe/Berlin"),)
    assert found.sources["self-service"] == "rule 1 (databases)"
    (freeze,) = found.freezes
    assert (freeze.start, freeze.end) == (
        datetime(2026, 12, 20, tzinfo=UTC),
        datetime(2027, 1, 4, tzinfo=UTC),
    )
    playful = ScaleSet(
        "id", "s1", "rg-shop-x", "web", "westeurope", tags={"Env": "DEV", "breakwater-soak": "1s"}
    )
    found = rules_for(policy, playful)
    assert found.soak == timedelta(seconds=1)
    assert found.windows == ()
    assert found.owner == "ops"
    assert policy.limits == Limits(1, 5)
    assert policy.receivers[0].teams == SECRET
    assert policy.receivers[1].webhook == SECRET + "/2"


def test_limits_can_be_given_per_region_and_by_match():
    text = "limits: {per-region: 3, by-match: {databases: {match: {name: [db-*, sql-*]}, scale-sets: 1}}}"
    policy = load(text, environment={})
    databases = MatchLimit("databases", Match(name=("db-*", "sql-*")), 1)
    assert policy.limits == Limits(per_region=3, by_match=(databases,))
    for name, counts_in in (("SQL-1", ("databases",)), ("web", ())):
        assert rules_for(policy, ScaleSet("id", "s1", "rg", name, "westeurope")).counts_in == counts_in


def test_a_policy_that_says_nothing_is_what_is_built_in():
    assert read("defaults: {}") == Policy()


def test_every_key_reaches_the_rules():
    found = rules(
        """
        defaults:
          self-service: always
          mode: observe
          lead: 5s
          windows: [Sat 02:00-06:00 UTC, Sun 02:00-06:00 UTC]
          complete-by: 2026-12-01
          tier: 2
          after: [db, cache]
          soak: 2s
          max-unavailable: 20%
          health: required
          recover-within: 90s
          stalled-after: 3h
          scheduled-events: true
          local-state: on
          short-lived: yes
          often-stopped: "true"
          often-resized: True
          accept: [local-state]
          owner: Ops
        receivers: {ops: {email: ops@example.com}}
        """
    )
    assert found == Rules(
        self_service=SelfService.ALWAYS,
        mode=found.mode,
        lead=timedelta(seconds=5),
        windows=(parse_windows("Sat 02:00-06:00 UTC; Sun 02:00-06:00 UTC"),),
        complete_by=datetime(2026, 12, 2, tzinfo=UTC),
        tier="2",
        after=("db", "cache"),
        soak=timedelta(seconds=2),
        max_unavailable=(Share(percent=20),),
        default_share=False,
        health=found.health,
        recover_within=timedelta(seconds=90),
        stalled_after=timedelta(hours=3),
        declared=("scheduled-events", "local-state", "short-lived", "often-stopped", "often-resized"),
        accept=("local-state",),
        owner="ops",
        sources=dict.fromkeys(PARSERS, "defaults"),
    )
    assert (found.mode, found.health) == ("observe", "required")


@pytest.mark.parametrize(
    ("text", "stop"),
    [
        ("stop: yes", True),
        ("stop: on", True),
        ("stop: 'true'", True),
        ("stop: no", False),
        ("stop: OFF", False),
    ],
)
def test_yes_and_no_are_understood_where_a_flag_is_wanted(text, stop):
    assert read(text).stop is stop


def test_no_is_not_a_word_for_never():
    assert "`no` is none of the choices; write never, when-needed, always" in fault(
        "defaults: {self-service: no}"
    )


def test_a_time_of_day_is_not_turned_into_a_number():
    assert "`22:00` is not a window" in fault("defaults:\n  windows: 22:00\n")
    assert "`1:30` is not a duration" in fault("defaults:\n  soak: 1:30\n")


def test_a_zone_in_a_time_is_kept_as_written():
    found = rules("defaults: {complete-by: 2026-12-01T06:00:00+01:00}")
    assert found.complete_by == datetime(2026, 12, 1, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("rulez: []", "line 1, rulez: there is no key `rulez` here, did you mean `rules`?"),
        ("a: 1\nstop: no", "line 1, a: there is no key `a` here; known are stop, defaults, rules"),
        ("defaults:\n  sok: 1m", "line 2, defaults.sok: there is no key `sok` here, did you mean `soak`?"),
        (
            "rules:\n- match: {}\n- match: {}\n  soack: 1m",
            "line 4, rules[1].soack: there is no key `soack` here, did you mean `soak`?",
        ),
        (
            "rules:\n- match: {resource_group: x}",
            "rules[0].match.resource_group: there is no key `resource_group` here, did you mean `resource-",
        ),
        (
            "limits: {region: 1}",
            "line 1, limits.region: there is no key `region` here, did you mean `regions`?",
        ),
        (
            "limits: {by-match: {db: {match: {}, scale-sets: 1, scale-set: 1}}}",
            "limits.by-match.db.scale-set: there is no key `scale-set` here, did you mean `scale-sets`?",
        ),
        (
            "limits: {by-match: {db: {match: {}}}}",
            "limits.by-match.db.scale-sets: it is required but missing",
        ),
        ("limits: {by-match: {a b: {match: {}, scale-sets: 1}}}", "a name has letters, digits, dots"),
        ("soak: 1m", "line 1, soak: `soak` belongs under `defaults` or under one of the `rules`"),
        ("rules:\n- soak: 1m", "line 2, rules[0].match: it is required but missing"),
        ("rules:\n- match: {}\n  soak: 1x", "line 3, rules[0].soak: `1x` is not a duration"),
        ("rules:\n- match: {name: []}", "line 2, rules[0].match.name: an empty pattern matches nothing"),
        ("rules: {}", "line 1, rules: a list is expected here"),
        ("defaults: []", "line 1, defaults: a mapping of keys is expected here"),
        ("defaults: {soak: [1m]}", "line 1, defaults.soak: one value is expected here"),
        ("defaults: {soak: }", "line 1, defaults.soak: it has no value"),
        ("defaults: {after: }", "line 1, defaults.after: it has no value"),
        ("defaults: {soak: ~}", "line 1, defaults.soak: it has no value"),
        ("defaults:\n  soak: 1m\n  soak: 2m", "line 3, defaults.soak: it is written twice"),
        ("defaults:\n  soak: !env X", "line 2, defaults.soak: the YAML tag `!env` means nothing here"),
        ("defaults: {? [a] : b}", "line 1, defaults: line 1 has a key that is not a word"),
        ("defaults: {<<: {soak: 1m}}", "line 1, defaults.<<: merging mappings is not supported"),
        ("defaults: {tags-may-loosen: [lead]}", "`lead` is not a key that a tag can loosen"),
        ("defaults: {tags-may-loosen: [soack]}", "did you mean `soak`?; these are: self-service"),
        ("limits: {regions: 0}", "line 1, limits.regions: it should be greater than or equal to 1"),
        ("limits: {regions: many}", "line 1, limits.regions: it should be a valid integer"),
        ("freezes: [{from: 2026-01-02, to: 2026-01-01, reason: x}]", "freezes[0]: `to` is not after `from`"),
        (
            "freezes: [{from: soon, to: 2026-01-01, reason: x}]",
            "freezes[0].from: `soon` is not a date or a time",
        ),
        ("freezes: [{from: 2026-01-01, to: 2026-01-02}]", "freezes[0].reason: it is required but missing"),
        ("receivers: {ops: {}}", "receivers.ops: it can't be reached: give it teams, email or webhook"),
        ("receivers: {ops: {email: ops}}", "receivers.ops.email: `ops` is not a mail address"),
        ("receivers: {ops: {email: 'a@b.c, d@e.f'}}", "is not a mail address"),
        ("receivers: {'a b': {email: a@b.c}}", "a name has letters, digits, dots"),
        ("receivers: {ops: {teams: env:NOPE}}", "receivers.ops.teams: the setting NOPE is missing or empty"),
        (
            "receivers: {ops: {teams: env:EMPTY}}",
            "receivers.ops.teams: the setting EMPTY is missing or empty",
        ),
        ("receivers: {ops: {teams: ftp://x}}", "receivers.ops.teams: its value is not an https address"),
        ("receivers: {ops: {teams: 'http://x.example'}}", "its value is not an https address"),
        ("receivers: {ops: {teams: 'https://['}}", "its value is not an https address"),
        ("defaults: {owner: ops}", "line 1, defaults.owner: there is no receiver `ops` under receivers"),
        (
            "routes: [{match: {}, receiver: obs}]\nreceivers: {ops: {email: a@b.c}}",
            "line 1, routes[0].receiver: there is no receiver `obs` under receivers, did you mean `ops`?",
        ),
        ("- a", "line 1: it is not a mapping of keys"),
        ("just words", "line 1: it is not a mapping of keys"),
        ("", "it is empty"),
        ("# only a comment", "it is empty"),
        ("a: [1\nb: 2", "line 2: it is not YAML"),
        ("a: 1\n---\nb: 2", "it is not YAML"),
        ("a: \x00", "characters that no text file should have"),
        ("[" * 5000, "nested too deeply"),
        ("#" * (1024 * 1024 + 1), "larger than 1 MiB"),
        ("a: &a [*a]", "aliases unfold into too much"),
    ],
)
def test_a_fault_is_one_sentence_with_its_line_and_path(text, sentence):
    assert sentence in fault(text)


def test_all_faults_are_reported_at_once():
    found = faults("defaults: {soak: x, mode: y}\nlimits: {regions: 0}\nrouts: []")
    assert len(found) == 4
    assert len(faults("defaults: {soak: x, owner: nobody}")) == 1
    many = "defaults:\n" + "".join(f"  key{number}: 1\n" for number in range(25))
    with pytest.raises(PolicyError, match=r"; and 5 more\. Nothing starts until this is fixed\.$"):
        read(many)


def test_aliases_that_unfold_into_millions_are_refused_quickly():
    names = "abcdefgh"
    bomb = "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
        f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n" for before, name in pairwise(names)
    )
    assert "unfold into too much" in fault(bomb)


def test_a_harmless_alias_works():
    policy = read("rules:\n- match: &all {}\n  soak: 1m\nroutes:\n- {match: *all, receiver: ops}\n"
                  "receivers: {ops: {email: a@b.c}}")  # fmt: skip
    assert policy.routes[0].match == policy.rules[0].match


def test_http_is_allowed_on_the_machine_itself_only():
    policy = read("receivers: {ops: {teams: 'http://127.0.0.1:8080/x', webhook: 'http://localhost:1/y'}}")
    assert policy.receivers[0].teams == "http://127.0.0.1:8080/x"


@pytest.mark.parametrize(
    "text",
    [
        f"receivers: {{ops: {SECRET}}}",
        f"receivers: {{ops: {{teams: [{SECRET}]}}}}",
        f"receivers: {{ops: {{teams: 'http{SECRET[5:]}'}}}}",
        f"receivers: {{ops: {{teams {SECRET}: }}}}",
        f"receivers: {{ops: {{'{SECRET}': x}}}}",
        f"receivers: {{ops: {{email: {SECRET}}}}}",
        f"receivers: {{ops: {{teams: '{SECRET} and more'}}}}",
        f"receivers:\n  ops: {{teams: {SECRET}\n",
        f"receivers:\n  ops: *{SECRET}\n",
        f"receivers:\n  {SECRET}\n  x: y\n",
        f"receivers: {{ops: {{teams: {SECRET}}}}}\ndefaults: {{owner: '{SECRET}'}}",
        f"receivers: {{ops: {{teams: {SECRET}}}}}\nroutes: [{{match: {{}}, receiver: '{SECRET}'}}]",
        f"receivers: {{ops: {{teams: {SECRET}, mail: x}}}}",
    ],
)
def test_no_address_is_in_an_error_nor_in_what_caused_it(text):
    with pytest.raises(PolicyError) as caught:
        read(text)
    error = caught.value
    told = [str(error), repr(error), *error.problems]
    while (
        error := error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    ) is not None:
        told += [str(error), repr(error)]
    assert not [text for text in told if "s3cr3t" in text]


def test_no_address_is_in_what_a_policy_prints():
    policy = read(f"receivers: {{ops: {{teams: {SECRET}, webhook: env:DBA_WEBHOOK_URL}}}}")
    assert policy.receivers[0].webhook == SECRET + "/2"
    assert "s3cr3t" not in repr(policy)


SCALARS = (
    st.sampled_from(
        [
            "1m",
            "0s",
            "no",
            "true",
            "22:00",
            "",
            "ops",
            "2026-12-01",
            "env:X",
            "*",
            "20%",
            "none",
            "auto",
            "ignore",
            2,
        ]
    )
    | st.none()
)
VALUES = st.dictionaries(st.sampled_from(list(PARSERS)), SCALARS, max_size=3)
KEYS = st.sampled_from(["stop", "from", "to", "name", "match", "tags", "email", "teams", "ops", *PARSERS])
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(
    st.fixed_dictionaries({"defaults": VALUES})
    | st.dictionaries(st.sampled_from(list(PolicyShape.model_fields)), ANYTHING, max_size=3)
)
def test_whatever_is_written_is_a_policy_or_a_policy_error(data):
    try:
        policy = read(yaml.safe_dump(data))
    except PolicyError:
        return
    # What load lets through, planner can follow.
    assert rules_for(policy, ScaleSet("id", "s1", "rg", "web", "westeurope")).problems == ()


# --- the documentation ----------------------------------------------------------------------------------


def test_the_published_schema_is_the_one_of_the_code():
    published = json.loads((DOCS / "policy.schema.json").read_text("utf-8"))
    assert published == schema(), "run `make docs`"


def test_the_schema_accepts_the_example_and_refuses_what_load_refuses():
    validator = jsonschema.Draft202012Validator(schema())
    jsonschema.Draft202012Validator.check_schema(schema())
    # An editor reads YAML without dates.
    resolvers = {
        first: [one for one in known if one[0] != "tag:yaml.org,2002:timestamp"]
        for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    loader = type("Loader", (yaml.SafeLoader,), {"yaml_implicit_resolvers": resolvers})
    assert [error.message for error in validator.iter_errors(yaml.load(example(), loader))] == []
    for wrong in ({"soak": "1m"}, {"defaults": {"sok": "1m"}}, {"defaults": {"mode": "go"}}, {"rules": [{}]}):
        assert list(validator.iter_errors(wrong)), wrong
        with pytest.raises(PolicyError):
            read(yaml.safe_dump(wrong))


def rows() -> dict[str, list[str]]:
    """The tables of keys, for scale sets and of the file; other sections have tables of their own."""
    parts = (DOCS / "policy.md").read_text("utf-8").split("\n## ")
    kept = [part for part in parts if part.startswith(("What can be said", "File only"))]
    lines = "\n".join(kept).splitlines()
    cells = [
        [cell.strip() for cell in line.strip("|").split(" | ")] for line in lines if line.startswith("| `")
    ]
    return {row[0].strip("| `"): row for row in cells}


def test_every_key_is_documented_with_its_tag():
    found = rows()
    top = set(schema()["properties"])
    assert set(found) == set(PARSERS) | top
    for key in PARSERS:
        assert found[key][1] == (f"`breakwater-{key}`" if key in TAG_KEYS else "file only")


@pytest.mark.parametrize("key", [key for key in PARSERS if key != "owner"])
def test_what_the_documentation_calls_built_in_is_built_in(key):
    built_in = rows()[key][3].strip("|` ")
    plain = rules("defaults: {}")
    written = rules(f"defaults: {{{key}: {built_in}}}")
    assert {**plain.sources, key: "defaults"} == dict(written.sources)
    assert [getattr(written, name) for name in Rules.__slots__ if name != "sources"] == [
        getattr(plain, name) for name in Rules.__slots__ if name != "sources"
    ]


def test_every_nested_key_is_documented():
    text = (DOCS / "policy.md").read_text("utf-8")
    for definition in schema()["$defs"].values():
        for key in definition["properties"]:
            assert f"`{key}`" in text, key
