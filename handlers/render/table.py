"""The wave as a spreadsheet: one row an instance, and one for a scale set without a plan."""

import csv
import io
from collections.abc import Iterable
from datetime import UTC, datetime

from handlers.render.contract import in_order, self_service
from handlers.render.words import one_line
from planner.record.batch import Batch
from planner.record.instance import InstanceProgress
from planner.record.run import Run

COLUMNS = (
    "tracking_id",
    "subscription",
    "resource_group",
    "scale_set",
    "location",
    "run_state",
    "verdict",
    "self_service",
    "deadline",
    "domain",
    "batch_state",
    "not_before",
    "started_at",
    "finished_at",
    "instance",
    "instance_state",
    "reason",
)


def table(tracking_id: str, runs: Iterable[Run]) -> str:
    """CSV as RFC 4180 has it. Text that a spreadsheet would compute is shown instead."""
    made = io.StringIO()
    writer = csv.writer(made)
    writer.writerow(COLUMNS)
    for run in in_order(runs):
        for batch, progress in _rows(run):
            writer.writerow(_safe(value) for value in _values(tracking_id, run, batch, progress))
    return made.getvalue()


def _rows(run: Run) -> Iterable[tuple[Batch | None, InstanceProgress | None]]:
    if not run.instances:
        yield None, None
    for batch in run.batches:
        for progress in batch.instances:
            yield batch, progress


def _values(
    tracking_id: str, run: Run, batch: Batch | None, progress: InstanceProgress | None
) -> tuple[str, ...]:
    target = run.target
    return (
        tracking_id,
        target.subscription,
        target.resource_group,
        target.name,
        target.location,
        run.state.value,
        run.verdict.value,
        self_service(run),
        _instant(run.times.deadline),
        batch.domain if batch else "",
        batch.state.value if batch else "",
        _instant(batch.not_before) if batch else "",
        _instant(batch.started_at) if batch else "",
        _instant(progress.finished_at or (batch.finished_at if batch else None)) if progress else "",
        progress.id if progress else "",
        progress.state.value if progress else "",
        (progress.reason if progress else "") or run.reason,
    )


def _instant(at: datetime | None) -> str:
    return "" if at is None else at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _safe(value: str) -> str:
    """Neutralised as OWASP advises (CSV injection): what starts a formula is text.

    A lone `-` computes nothing and is the portal's word for "no data".
    """
    flat = one_line(value, 1000)
    return f"'{flat}" if flat[:1] in {"=", "+", "-", "@"} and flat != "-" else flat
