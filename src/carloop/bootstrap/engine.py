"""The engine: the process that owns the stores, answers the API and runs the workers."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import FastAPI

from carloop.api.app import create_app
from carloop.api.services import Services
from carloop.bootstrap.packs import load_catalogue
from carloop.bootstrap.settings import Settings
from carloop.kit.clock import SystemClock


@dataclass(frozen=True, slots=True)
class Engine:
    """Everything one engine process holds."""

    settings: Settings
    services: Services

    def app(self) -> FastAPI:
        """The management API over this engine."""
        return create_app(self.services)


def build_engine(settings: Settings) -> Engine:
    """Open the stores under ``settings`` and wire the use cases to them."""
    services = Services(clock=SystemClock(), catalogue=load_catalogue(settings.packs))
    return Engine(settings, services)
