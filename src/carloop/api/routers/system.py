"""Is it alive, is it ready, how is it doing, which version is it."""

from __future__ import annotations

import ipaddress

from fastapi import APIRouter, Request, Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from pydantic import BaseModel

from carloop.api.deps import Use, current_caller, public
from carloop.api.routers.session import client_address
from carloop.app.operation.health import Figure
from carloop.core.scope import Permission
from carloop.kit.errors import PermissionDenied
from carloop.kit.version import version

router = APIRouter(tags=["system"])


class Live(BaseModel):
    """The process answers."""

    status: str


class ReadyPart(BaseModel):
    """Whether one part can serve, and why not."""

    ready: bool
    reason: str | None


class Ready(BaseModel):
    """Whether everything can serve."""

    status: str
    parts: dict[str, ReadyPart]


class Version(BaseModel):
    """Which carloop this is."""

    version: str


@router.get("/livez", operation_id="get_liveness")
@public
def get_liveness() -> Live:
    """The process answers."""
    return Live(status="live")


@router.get("/readyz", operation_id="get_readiness", responses={503: {"model": Ready}})
@public
def get_readiness(response: Response, use: Use) -> Ready:
    """Each part with a reason where it cannot serve; 503 unless all can."""
    parts = use.health.parts()
    ready = all(part.ready for part in parts.values())
    response.status_code = 200 if ready else 503
    if not ready:
        response.headers["Retry-After"] = "2"
    return Ready(
        status="ready" if ready else "not_ready",
        parts={n: ReadyPart(ready=p.ready, reason=p.reason) for n, p in parts.items()},
    )


@router.get("/version", operation_id="get_version")
@public
def get_version() -> Version:
    """Which carloop this is."""
    return Version(version=version())


@router.get(
    "/metrics",
    operation_id="get_metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
@public
def get_metrics(request: Request, use: Use) -> Response:
    """Prometheus metrics, for this machine or an API token with `system.manage`."""
    if not _is_local(client_address(request)):
        caller = current_caller(request)
        if not caller.may(Permission.SYSTEM_MANAGE):
            raise PermissionDenied("metrics need the permission system.manage")
    registry = CollectorRegistry()
    registry.register(_Figures(use.health.figures))
    return Response(generate_latest(registry), media_type="text/plain; version=0.0.4")


class _Figures(Collector):
    def __init__(self, figures: tuple[Figure, ...]) -> None:
        self._figures = figures

    def collect(self) -> list[Metric]:
        families: list[Metric] = []
        for figure in self._figures:
            kind = CounterMetricFamily if figure.kind == "counter" else GaugeMetricFamily
            family = kind(f"carloop_{figure.name}", figure.help, labels=figure.labels)
            for labels, value in figure.read():
                family.add_metric(labels, value)
            families.append(family)
        return families


def _is_local(address: str) -> bool:
    if address == "local":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
