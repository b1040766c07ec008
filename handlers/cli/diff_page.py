"""What `breakwater diff` prints: what becomes of how many, each scale set with what changes and why."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from handlers.cli.comparing import Change, Changed, Comparison
from handlers.cli.output import Format, Out, clean
from planner.text.phrases import many, some

MOST_ROWS = 60
"""Scale sets that a comment names one by one: GitHub takes 65,536 characters."""

NAMES = 12

ASSUMED = (
    "<sub>Every instance counts as due from the moment the fleet was read; those that are due in earnest "
    "keep their times.</sub>"
)


def head(found: Comparison) -> str:
    """What changes, in a sentence."""
    if not found.changed and not found.whole:
        return f"Nothing changes for {many(found.total, 'scale set')}."
    if not found.plans:
        return f"The plans of {many(found.total, 'scale set')} stay as they are."
    verb = "changes" if len(found.plans) == 1 else "change"
    return f"{len(found.plans)} of {many(found.total, 'plan')} {verb}."


def document(found: Comparison) -> dict[str, Any]:
    """The comparison for programs."""
    return {
        "scale_sets": found.total,
        "counts": [asdict(each) for each in found.fates],
        "whole": [asdict(each) for each in found.whole],
        "changed": [
            {
                "scale_set": each.scale_set.id,
                "plan": [asdict(change) for change in each.plan],
                "values": [asdict(change) for change in each.values],
            }
            for each in found.changed
        ],
    }


def printed(found: Comparison, out: Out) -> None:
    """Print it in the format asked for."""
    if out.format is Format.JSON:
        out.json(document(found))
    elif out.format is Format.PLAIN:
        out.table((), [*_rows(found)])
    else:
        _print(found, out)


def _rows(found: Comparison) -> Iterator[tuple[str, ...]]:
    for change in found.whole:
        yield ("whole", "-", change.what, change.before, change.after, "-")
    for each in found.changed:
        for change in each.plan:
            yield ("plan", each.scale_set.id, change.what, change.before, change.after, each.because)
        for change in each.values:
            yield ("value", each.scale_set.id, change.what, change.before, change.after, "-")


def _print(found: Comparison, out: Out) -> None:
    out.say(head(found), "bold")
    for change in (*found.fates, *found.whole):
        out.say(f"{change.what}: {change.before} -> {change.after}", indent=2)
    for each in found.plans:
        out.say("")
        out.say(f"~ {each.name}", "yellow")
        for change in each.plan:
            out.say(f"{change.what}: {change.before} -> {change.after}", indent=4)
        out.say(f"by {each.because}", indent=4)
    for change, names in _shared(found):
        out.say("")
        out.say(f"Only a value, the plan stays: {change.what}: {change.before} -> {change.after}")
        out.say(some(names, most=NAMES), indent=4)


def _shared(found: Comparison) -> list[tuple[Change, list[str]]]:
    """The values that change without changing a plan, each with the scale sets that share it."""
    shared: dict[Change, list[str]] = {}
    for each in found.quiet:
        for change in each.values:
            shared.setdefault(change, []).append(each.name)
    return sorted(shared.items(), key=lambda item: -len(item[1]))


def markdown(found: Comparison, name: str) -> str:
    """A comment for a pull request."""
    lines = [f"### Breakwater: {_cell(name)}", "", head(found)]
    if found.fates:
        lines += ["", "| scale sets | before | after |", "|---|---|---|"]
        lines += [f"| {each.what} | {each.before} | {each.after} |" for each in found.fates]
    if found.whole:
        lines.append("")
    lines += [f"- {_cell(each.what)}: {_cell(each.before)} → {_cell(each.after)}" for each in found.whole]
    if found.plans:
        lines += ["", "| scale set | what changes | by |", "|---|---|---|"]
        lines += [_row(each) for each in found.plans[:MOST_ROWS]]
        if len(found.plans) > MOST_ROWS:
            rest = len(found.plans) - MOST_ROWS
            lines += ["", f"And {many(rest, 'more scale set')}: `breakwater diff` shows all."]
    for change, names in _shared(found):
        said = f"{_cell(change.what)}: {_cell(change.before)} → {_cell(change.after)}"
        lines += ["", f"Only a value, the plan stays: {said}: {_cell(some(names, most=NAMES))}"]
    lines += ["", ASSUMED]
    return "\n".join(lines)


def _row(each: Changed) -> str:
    plan = "<br>".join(f"{_cell(one.what)}: {_cell(one.before)} → {_cell(one.after)}" for one in each.plan)
    return f"| {_cell(each.name)} | {plan} | {_cell(each.because.replace(' -> ', ' → '))} |"


def _cell(text: str) -> str:
    """Text from outside, so that it neither ends a cell nor marks anything up."""
    for mark in "\\|<>[]*`":
        text = text.replace(mark, f"\\{mark}")
    return clean(text)
