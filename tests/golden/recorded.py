"""Recorded waves: what storage held at the moments at which somebody was told something, as it was kept.

A wave's folder has its policy file, its moments (when, which message of a queue had somebody told, whom), and the
documents, one a line, each under the first moment that saw it so. A document that was gone has no body.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from handlers.cloud.records import Stored
from handlers.wire import policy_file
from planner.policy.model import Policy
from tests.golden.files import HERE, keep, kept
from tests.golden.recorder import Telling

RECORDED = HERE / "recorded"
POLICY, MOMENTS, DOCUMENTS = "policy.yaml", "moments.json", "documents.jsonl"


@dataclass(frozen=True)
class Moment:
    """When `receiver` was told something, because of the message `asked` of the queue of notices."""

    at: datetime
    asked: str
    receiver: str
    policy: Policy
    documents: Mapping[str, tuple[Stored, datetime]]


def save(wave: str, policy: str, moments: Mapping[str, Telling], azure: str) -> None:
    """Keep these moments of a wave; `azure` is where the simulated Azure was."""
    ordered = sorted(moments, key=lambda name: (moments[name].at, name))
    heads = {
        name: {"at": one.at.isoformat(), "receiver": one.receiver, "asked": json.loads(one.asked)}
        for name in ordered
        for one in (moments[name],)
    }
    documents = _steady("".join(f"{line}\n" for line in _lines(ordered, moments)), azure)
    files = {POLICY: policy, MOMENTS: json.dumps(heads, indent=1) + "\n", DOCUMENTS: documents}
    keep(RECORDED / wave, files)


def _steady(lines: str, azure: str) -> str:
    """Without what chance has decided: Azure's port, and the ids of what people said."""
    ids = dict.fromkeys(re.findall(r"person-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", lines))
    for number, chance in enumerate(ids, 1):
        lines = lines.replace(chance, f"person-00000000-0000-4000-8000-{number:012}")
    return lines.replace(azure, "https://management.azure.com")


def _lines(ordered: list[str], moments: Mapping[str, Telling]) -> Iterator[str]:
    known: dict[str, bytes] = {}
    for name in ordered:
        documents = moments[name].documents
        for path in sorted(known.keys() - documents.keys()):
            del known[path]
            yield json.dumps({"moment": name, "path": path, "body": None})
        for path, (stored, created) in sorted(documents.items()):
            if known.get(path) == stored.body:
                continue
            known[path] = stored.body
            line = {
                "moment": name,
                "path": path,
                "created": created.isoformat(),
                "metadata": dict(stored.metadata),
                "body": json.loads(stored.body),
            }
            yield json.dumps(line, ensure_ascii=False, separators=(",", ":"))


@cache
def moments(wave: str) -> dict[str, Moment]:
    """The moments of a recorded wave, by name."""
    folder = RECORDED / wave
    policy = policy_file.load(kept(folder, POLICY), environment={})
    heads = json.loads(kept(folder, MOMENTS))
    changes: dict[str, list[dict[str, Any]]] = {name: [] for name in heads}
    for line in kept(folder, DOCUMENTS).split("\n")[:-1]:
        change = json.loads(line)
        changes[change["moment"]].append(change)
    found: dict[str, Moment] = {}
    held: dict[str, tuple[Stored, datetime]] = {}
    for name, head in heads.items():
        held = _changed(held, changes[name])
        at, asked = datetime.fromisoformat(head["at"]), json.dumps(head["asked"])
        found[name] = Moment(at, asked, head["receiver"], policy, held)
    return found


def _changed(
    held: Mapping[str, tuple[Stored, datetime]], changes: list[dict[str, Any]]
) -> dict[str, tuple[Stored, datetime]]:
    made = dict(held)
    for change in changes:
        path = change["path"]
        if change["body"] is None:
            made.pop(path)
            continue
        body = json.dumps(change["body"], ensure_ascii=False, separators=(",", ":")).encode()
        created = datetime.fromisoformat(change["created"])
        made[path] = (Stored(path, body, f"recorded {change['moment']}", change["metadata"]), created)
    return made
