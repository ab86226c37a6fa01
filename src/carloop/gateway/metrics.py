"""Counters of the gateway in the Prometheus text format, without a library's memory."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable

BUCKETS_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """What the ingest routes did since the process started."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, int]] = Counter()
        self.accepted: Counter[str] = Counter()
        self.rejected: Counter[tuple[str, str]] = Counter()
        self.refused: Counter[tuple[str, str]] = Counter()
        self.bytes_in = 0
        self.in_flight = 0
        self._latency = [0] * (len(BUCKETS_SECONDS) + 1)
        self._latency_sum = 0.0

    def took(self, seconds: float) -> None:
        """Note the time from the first byte to the answer of one accepted request."""
        self._latency[bisect_left(BUCKETS_SECONDS, seconds)] += 1
        self._latency_sum += seconds

    def text(self, gauges: Iterable[tuple[str, str, float]]) -> str:
        """All counters, and ``gauges`` as (name, help, value)."""
        lines = [
            *_family(
                "requests_total",
                "Ingest requests answered",
                (({"protocol": p, "status": str(s)}, n) for (p, s), n in self.requests.items()),
            ),
            *_family(
                "events_accepted_total",
                "Events acknowledged after they were durable",
                (({"protocol": p}, n) for p, n in self.accepted.items()),
            ),
            *_family(
                "events_rejected_total",
                "Events of readable batches that went to quarantine, by reason",
                (({"protocol": p, "code": c}, n) for (p, c), n in self.rejected.items()),
            ),
            *_family(
                "requests_refused_total",
                "Requests of which nothing was taken, by reason",
                (({"protocol": p, "code": c}, n) for (p, c), n in self.refused.items()),
            ),
            *_family("bytes_total", "Ingest bytes on the wire", [({}, self.bytes_in)]),
            *self._histogram(),
        ]
        for name, help_, value in (
            ("in_flight", "Ingest requests being answered", float(self.in_flight)),
            *gauges,
        ):
            lines += _family(name, help_, [({}, value)], "gauge")
        return "\n".join(lines) + "\n"

    def _histogram(self) -> list[str]:
        name = "carloop_gateway_accept_seconds"
        lines = [
            f"# HELP {name} Time from first byte to answer of accepted requests",
            f"# TYPE {name} histogram",
        ]
        total = 0
        for bound, count in zip((*BUCKETS_SECONDS, "+Inf"), self._latency, strict=True):
            total += count
            lines.append(f'{name}_bucket{{le="{bound}"}} {total}')
        return [*lines, f"{name}_sum {self._latency_sum:.6f}", f"{name}_count {total}"]


def _family(
    name: str, help_: str, samples: Iterable[tuple[dict[str, str], float]], kind: str = "counter"
) -> list[str]:
    full = f"carloop_gateway_{name}"
    lines = [f"# HELP {full} {help_}", f"# TYPE {full} {kind}"]
    for labels, value in samples:
        text = ",".join(f'{k}="{v}"' for k, v in labels.items())
        lines.append(f"{full}{{{text}}} {value:g}" if text else f"{full} {value:.17g}")
    return lines
