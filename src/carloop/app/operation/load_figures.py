"""What the loader did since the process started, as counters of ``/metrics``."""

from __future__ import annotations

from collections import Counter

from carloop.app.operation.health import Figure, Sample
from carloop.app.pipeline import Pipeline, Progress


class LoadFigures:
    """Counts what a pipeline does; listens to it from now on."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._events: Counter[str] = Counter(
            {"stored": 0, "duplicate": 0, "quarantined": 0, "erased": 0}
        )
        pipeline.listeners.append(self._note)

    def figures(self) -> list[Figure]:
        """The families, without the prefix."""
        return [
            Figure(
                "loaded_events_total",
                "Events taken from the journal, by what became of them.",
                lambda: _samples(self._events),
                ("outcome",),
                "counter",
            ),
            Figure(
                "dropped_identifiers_total",
                "Identifiers and entity keys left out of events that were taken, by reason.",
                lambda: _samples(self._pipeline.preparer.dropped),
                ("reason",),
                "counter",
            ),
            Figure(
                "torn_rows_deleted_total",
                "Rows of cycles that a crash broke off, deleted before they were loaded again.",
                lambda: [((), float(self._pipeline.torn_rows))],
                kind="counter",
            ),
        ]

    def _note(self, progress: Progress) -> None:
        self._events["stored"] += progress.stored
        self._events["duplicate"] += progress.duplicates
        self._events["quarantined"] += progress.quarantined
        self._events["erased"] += progress.erased


def _samples(counted: Counter[str]) -> list[Sample]:
    return [((name,), float(number)) for name, number in counted.copy().items()]
