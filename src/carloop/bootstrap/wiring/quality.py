"""Wires data quality: rules and code tables, the scorecard, files looked at before import."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from carloop.app.audit import AuditLog
from carloop.app.imports.job import Judge
from carloop.app.jobs import JobRunner
from carloop.app.quality.desk import QualityDesk
from carloop.app.quality.files import FileQuality
from carloop.app.quality.scorecards import Scorecards
from carloop.app.quality.scoring import Scoring
from carloop.bootstrap.background import Loop
from carloop.bootstrap.stores import TENANT, Stores
from carloop.core.registry import Catalogue
from carloop.kit.clock import Clock
from carloop.kit.errors import CarloopError

log = structlog.get_logger(__name__)

NIGHTLY_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True)
class QualityParts:
    """The use cases, and the loop that computes the last week once a day."""

    quality: QualityDesk
    scorecards: Scorecards
    file_quality: FileQuality
    loop: Loop

    def services(self) -> dict[str, object]:
        """What :class:`~carloop.api.services.Services` needs."""
        return {
            "quality": self.quality,
            "scorecards": self.scorecards,
            "file_quality": self.file_quality,
        }


def wire_quality(
    stores: Stores, catalogue: Catalogue, clock: Clock, audit: AuditLog, jobs: JobRunner
) -> QualityParts:
    """Data quality; a new installation gets the rules of its packs."""
    desk = QualityDesk(stores.state, clock, audit)
    desk.install(TENANT, catalogue.packs)
    scoring = Scoring(stores.state, stores.event_store, catalogue, clock)
    scorecards = Scorecards(stores.state, scoring, jobs, clock)

    def nightly() -> bool:
        try:
            scorecards.nightly(TENANT)
        except CarloopError as error:
            log.warning("quality_not_computed", code=error.code)
        return False

    return QualityParts(
        desk,
        scorecards,
        FileQuality(catalogue, stores.state),
        Loop("quality", nightly, NIGHTLY_SECONDS),
    )


def judge_files(stores: Stores, catalogue: Catalogue) -> Judge:
    """What judges the file of a trial import."""
    files = FileQuality(catalogue, stores.state)

    def judge(tenant: int, path: Path, zone: str, most: int) -> Mapping[str, Any]:
        return files.profile(path, tenant=tenant, zone=zone, most=most)

    return judge
