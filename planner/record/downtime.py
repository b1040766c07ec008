"""From when to when an instance or a domain was down, as far as polls saw it."""

from planner.azure.fleet import Interval
from planner.record.batch import Batch
from planner.record.instance import InstanceProgress


def of_instance(progress: InstanceProgress) -> Interval | None:
    """From our start, or from the first poll that saw it down, to the first one that saw it serve again.

    None while that is not over, and where no poll saw it. An instance that we started was up for a part of
    it: the truth is at most this long.
    """
    began, ended = progress.down_at or progress.intent_at, progress.up_at
    return Interval(began, ended) if began is not None and ended is not None and began <= ended else None


def of_batch(batch: Batch) -> Interval | None:
    """From the first of its instances that went down to the last that served again; None where none did."""
    spans = [span for each in batch.instances if (span := of_instance(each)) is not None]
    if not spans:
        return None
    return Interval(min(span.start for span in spans), max(span.end for span in spans))
