"""The wave as a spreadsheet: one row an instance, and one for a scale set without a plan."""

import csv
import io
from collections.abc import Iterable, Iterator

from handlers.render.contract import in_order, instant, self_service
from handlers.render.outside_text import one_line
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
        writer.writerows(map(_safe, row) for row in _rows(tracking_id, run))
    return made.getvalue()


def _rows(tracking_id: str, run: Run) -> Iterator[tuple[str | None, ...]]:
    head = (
        tracking_id,
        run.target.subscription,
        run.target.resource_group,
        run.target.name,
        run.target.location,
        run.state,
        run.verdict,
        self_service(run),
        instant(run.times.deadline),
    )
    if not run.instances:
        yield *head, *[""] * (len(COLUMNS) - len(head) - 1), run.reason
    for batch in run.batches:
        for progress in batch.instances:
            yield (
                *head,
                batch.domain,
                batch.state,
                instant(batch.not_before),
                instant(batch.started_at),
                instant(progress.finished_at or batch.finished_at),
                progress.id,
                progress.state,
                progress.reason or run.reason,
            )


def _safe(value: str | None) -> str:
    """Neutralised as OWASP advises (CSV injection): what starts a formula is text.

    A lone `-` computes nothing and is the portal's word for "no data".
    """
    flat = one_line(value or "", 1000)
    return f"'{flat}" if flat[:1] in {"=", "+", "-", "@"} and flat != "-" else flat
