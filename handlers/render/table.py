"""The wave as a spreadsheet: one row an instance, and one for a scale set without a plan (docs/report.md)."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from handlers.render.contract import in_order, instant, self_service
from handlers.render.outside_text import one_line
from planner.azure.fleet import Interval, Orchestration
from planner.record import downtime
from planner.record.batch import Batch
from planner.record.instance import InstanceProgress
from planner.record.run import Run
from planner.record.states import ACTIVE, InstanceState
from planner.text.phrases import to_the_minute

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
    "run_reason",
    "owner",
    "scale_set_id",
    "instance_id",
    "forecast_end",
    "self_service_start",
    "self_service_end",
    "scheduled_start",
    "scheduled_end",
    "down_from",
    "down_until",
    "down_seconds",
    "domain_down_seconds",
)
"""In this order; new ones come at the end, and none goes (docs/report.md)."""


def table(tracking_id: str, runs: Iterable[Run]) -> str:
    """CSV as RFC 4180 has it. Text that a spreadsheet would compute is shown instead."""
    return HEAD + "".join(part(tracking_id, run) for run in in_order(runs))


def part(tracking_id: str, run: Run) -> str:
    """A run's rows as CSV, without the names of the columns."""
    return _written(rows(tracking_id, run))


def _written(rows: Iterable[Sequence[str]]) -> str:
    made = io.StringIO()
    csv.writer(made).writerows(rows)
    return made.getvalue()


HEAD = _written([COLUMNS])
"""The names of the columns, as CSV."""


def rows(tracking_id: str, run: Run) -> Iterator[list[str]]:
    """A run's rows, each cell in the order of COLUMNS."""
    for row in _rows(tracking_id, run):
        yield [_safe(row.get(column)) for column in COLUMNS]


def _rows(tracking_id: str, run: Run) -> Iterator[Mapping[str, str | None]]:
    head = _of_run(tracking_id, run)
    if not run.instances:
        yield {**head, "reason": run.reason}
    for batch in run.batches:
        for progress in batch.instances:
            yield {**head, **_of_batch(batch), **_of_instance(run, batch, progress)}


def _of_run(tracking_id: str, run: Run) -> dict[str, str | None]:
    return {
        "tracking_id": tracking_id,
        "subscription": run.target.subscription,
        "resource_group": run.target.resource_group,
        "scale_set": run.target.name,
        "scale_set_id": run.target.id,
        "location": run.target.location,
        "owner": run.terms.receiver,
        "run_state": run.state,
        "run_reason": run.reason,
        "verdict": run.verdict,
        "self_service": self_service(run),
        "deadline": instant(run.times.deadline),
        "forecast_end": instant(run.times.forecast_end) if run.state in ACTIVE else None,
        **_span("self_service_start", "self_service_end", run.times.self_service),
        **_span("scheduled_start", "scheduled_end", run.times.scheduled),
    }


def _of_batch(batch: Batch) -> dict[str, str | None]:
    return {
        "domain": batch.domain,
        "batch_state": batch.state,
        "not_before": instant(batch.not_before),
        "started_at": instant(batch.started_at),
        "domain_down_seconds": _seconds(downtime.of_batch(batch)),
    }


def _of_instance(run: Run, batch: Batch, progress: InstanceProgress) -> dict[str, str | None]:
    down = downtime.of_instance(progress)
    return {
        "instance": progress.id,
        "instance_id": _arm_id(run, progress),
        "instance_state": progress.state,
        "reason": progress.reason or _why(run, batch, progress),
        "finished_at": instant(progress.finished_at or batch.finished_at),
        **_span("down_from", "down_until", down),
        "down_seconds": _seconds(down),
        # An instance's own window counts where it has one: Azure can give each its own.
        **(_span("self_service_start", "self_service_end", progress.window) if progress.window else {}),
    }


def _arm_id(run: Run, progress: InstanceProgress) -> str:
    """An instance of a Flexible scale set is a virtual machine in the same resource group."""
    provider = run.target.id.rpartition("/virtualMachineScaleSets/")[0]
    flexible = run.target.orchestration is Orchestration.FLEXIBLE
    return f"{provider if flexible else run.target.id}/virtualMachines/{progress.id}"


def _why(run: Run, batch: Batch, progress: InstanceProgress) -> str:
    """Why an instance stands where it does, where nothing has happened to it that the record explains."""
    if not progress.waiting:
        return _GOING.get(progress.state, run.reason)
    if progress.retry_at is not None:
        return f"Azure has put it off; not tried again before {to_the_minute(progress.retry_at)}."
    if run.state not in ACTIVE:
        return run.reason
    if run.needs_person:
        return f"Nothing of it starts until somebody answers. {run.reason}"
    if batch.not_before is None:
        return "No time is left for it in the windows."
    return f"Waits for its turn, not before {to_the_minute(batch.not_before)}."


_GOING = {
    InstanceState.STARTING: "Its start is on its way.",
    InstanceState.REBOOTING: "Azure has taken its start.",
    InstanceState.VERIFYING: "It was maintained, and has not been seen healthy twice yet.",
}


def _span(start: str, end: str, span: Interval | None) -> dict[str, str | None]:
    begins: datetime | None = span.start if span is not None else None
    ends: datetime | None = span.end if span is not None else None
    return {start: instant(begins), end: instant(ends)}


def _seconds(span: Interval | None) -> str | None:
    return str(round((span.end - span.start).total_seconds())) if span is not None else None


def _safe(value: str | None) -> str:
    """Neutralised as OWASP advises (CSV injection): what starts a formula is text.

    A lone `-` computes nothing and is the portal's word for "no data".
    """
    flat = one_line(value or "", 1000)
    return f"'{flat}" if flat[:1] in _COMPUTES and flat != "-" else flat


_COMPUTES = frozenset("=+-@\uff1d\uff0b\uff0d\uff20")
"""What begins a formula, in half and full width; tabs and line breaks are gone by then."""
