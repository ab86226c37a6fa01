"""The engine: the process that owns the stores, answers the API and runs the workers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, cast

import structlog
from fastapi import FastAPI

from carloop.api.app import create_app
from carloop.api.services import Services
from carloop.app.audit import AuditLog
from carloop.app.backups import Backups
from carloop.app.feeds.records import NAME as RECORDS
from carloop.app.feeds.records import RecordsProtocol, renewed
from carloop.app.imports import Imports
from carloop.app.imports.job import ImportJobs
from carloop.app.jobs import JobRunner
from carloop.app.operation.lag import Lag, lag_reader
from carloop.app.operation.load_figures import LoadFigures
from carloop.app.operation.retention import Retention
from carloop.app.overview import Overview
from carloop.app.persons.lookup import Persons
from carloop.app.pipeline import Pipeline
from carloop.app.projector import Projector
from carloop.app.quarantine import Quarantine, Renewed
from carloop.app.replays import Replays
from carloop.app.segments.audiences import Audiences
from carloop.app.segments.refresher import SegmentRefresher
from carloop.app.source_settings import SourceDesk
from carloop.app.tenant_settings import TenantSettings
from carloop.app.tracking.desk import PlanDesk
from carloop.app.tracking.reality import Reality
from carloop.app.tracking.report import PlanReport
from carloop.app.tracking.watch import PlanWatch
from carloop.app.workers import Loader
from carloop.bootstrap.background import Loop
from carloop.bootstrap.backup import wire_backup
from carloop.bootstrap.files import HeadInFile, Ownership, replace_file
from carloop.bootstrap.memory import collect_seldom, give_back
from carloop.bootstrap.packs import load_catalogue
from carloop.bootstrap.settings import Settings
from carloop.bootstrap.stores import Stores, open_stores
from carloop.bootstrap.wiring.access import wire_access
from carloop.bootstrap.wiring.feeds import wire_feeds
from carloop.bootstrap.wiring.figures import segments_of, sends_of, wire_health
from carloop.bootstrap.wiring.journeys import wire_journeys
from carloop.bootstrap.wiring.persons import erasure_job, wire_persons
from carloop.bootstrap.wiring.quality import judge_files, wire_quality
from carloop.bootstrap.wiring.questions import wire_questions
from carloop.connectors import DECODERS
from carloop.core.registry import Catalogue
from carloop.kit.clock import Clock, SystemClock
from carloop.stores.clickhouse.chdb import ChdbStore

log = structlog.get_logger(__name__)

CHECKPOINT_SECONDS = 60.0
RETENTION_SECONDS = 86_400.0
TIDY_SECONDS = 30.0
LOADER_SECONDS = 0.05
PROJECTOR_SECONDS = 0.5
SEGMENTS_SECONDS = 0.5


class Background(Protocol):
    """Work in threads of its own."""

    def start(self) -> None:
        """Begin."""
        ...

    def stop(self) -> None:
        """End after what is under way."""
        ...


@dataclass(slots=True)
class Engine:
    """Everything one engine process holds; close it to release the data directory."""

    settings: Settings
    services: Services
    stores: Stores
    background: Sequence[Background]
    lag: Callable[[], Lag]
    ownership: Ownership

    def app(self) -> FastAPI:
        """The management API over this engine."""
        return create_app(self.services)

    def start(self) -> None:
        """Start the workers."""
        collect_seldom()
        for work in self.background:
            work.start()

    def close(self) -> None:
        """Stop the workers, note the audit log's head, release the stores and the directory."""
        for work in reversed(self.background):
            work.stop()
        self.services.audit.checkpoint()
        self.stores.close()
        self.ownership.release()


def build_engine(settings: Settings) -> Engine:
    """Own the data directory, open its stores, wire the use cases to them.

    Raises:
        Conflict: ``data_in_use``: another process owns the directory.
    """
    ownership = Ownership(settings.lock_file)
    try:
        stores = open_stores(settings)
        try:
            return _wire(settings, stores, ownership)
        except BaseException:
            stores.close()
            raise
    except BaseException:
        ownership.release()
        raise


def _wire(settings: Settings, stores: Stores, ownership: Ownership) -> Engine:
    clock, catalogue = SystemClock(), load_catalogue(settings.packs)
    lag = lag_reader(stores.state, stores.journal, clock)
    watch = PlanWatch(stores.state, catalogue)
    watch.refresh()
    pipeline = _pipeline(stores, catalogue, watch)
    projector = Projector(stores.state, stores.event_store, catalogue, stores.cipher)
    audiences = Audiences(stores.state, stores.event_store, catalogue, stores.cipher, clock)
    audit = AuditLog(
        stores.state,
        clock,
        stores.master.derive("audit chain"),
        HeadInFile(settings.data / "secret" / "audit.head"),
    )
    people = wire_persons(
        stores,
        catalogue,
        clock,
        audit,
        pipeline,
        projector,
        lambda scope, person: questions.segments.memberships(scope, person),
    )
    persons = cast(Persons, people["persons"])
    way_out = wire_journeys(settings, stores, catalogue, clock, audiences, persons, audit)
    questions = wire_questions(stores, catalogue, clock, persons, audiences, way_out.entries)
    questions.install_templates(catalogue)
    refresher = questions.refresher
    projection = Loop("projector", _projecting(projector, refresher), PROJECTOR_SECONDS)
    pipeline.listeners.append(lambda progress: projection.wake())
    pipeline.listeners.append(lambda progress: refresher.notice())
    pipeline.listeners.append(lambda progress: questions.catalogue_reader.notice())
    loops = [
        projection,
        Loop("segments", lambda: refresher.run_once() < 0, SEGMENTS_SECONDS),
        *way_out.loops,
        Loop(
            "loader",
            Loader(pipeline, clock, settings.journal_days, give_back).step,
            LOADER_SECONDS,
        ),
        Loop("audit", _checkpoint(audit), CHECKPOINT_SECONDS),
    ]
    jobs = JobRunner(stores.state, clock)
    reading = wire_feeds(settings, stores, catalogue, clock, lag)
    loops.append(reading.loop)
    backup = wire_backup(settings, stores.state, stores.event_store, clock, stores.master)
    imports = ImportJobs(
        Imports(stores.state, stores.journal, catalogue, clock),
        jobs,
        stores.state,
        clock,
        settings.data / "uploads",
        judge_files(stores, catalogue),
    )
    loops.append(Loop("retention", _retaining(stores, clock, imports), RETENTION_SECONDS))
    if isinstance(stores.event_store, ChdbStore):
        loops.append(Loop("old_parts", _tidying(stores.event_store), TIDY_SECONDS))
    quality = wire_quality(stores, catalogue, clock, audit, jobs)
    loops.append(quality.loop)
    ways_in = wire_access(settings, stores, catalogue, clock)
    desk = cast(SourceDesk, ways_in["source_desk"])
    quarantine = Quarantine(stores.state, stores.journal, audit, _renewed(desk))
    plan = PlanDesk(stores.state, catalogue, clock, audit, watch.refresh)
    reality = Reality(stores.event_store, clock)
    pipeline.listeners.append(lambda progress: reality.notice())
    services = Services(
        clock=clock,
        jobs=jobs,
        backups=Backups(backup, jobs, audit, clock, settings.data / "backups"),
        imports=imports,
        feeds=reading.desk,
        catalogue=catalogue,
        state=stores.state,
        event_store=stores.event_store,
        audit=audit,
        quarantine=quarantine,
        replays=Replays(stores.state, quarantine, jobs),
        health=wire_health(settings, stores, loops, lag, clock, LoadFigures(pipeline).figures()),
        plan=plan,
        plan_report=PlanReport(stores.state, plan, reality, catalogue),
        tenant_settings=TenantSettings(stores.state, stores.event_store, audit),
        answer_secret=stores.master.derive("kept answers"),
        overview=Overview(
            stores.state, stores.event_store, clock, catalogue, segments_of, sends_of, lag
        ),
        **ways_in,
        **people,
        **way_out.services,
        **questions.services(),
        **quality.services(),
    )
    jobs.register(erasure_job(services.erasure, questions.catalogue_reader.forget, reality.forget))
    services.keys.publish()
    desk.publish()
    first_password = services.access.first_admin()
    if first_password is not None:
        replace_file(settings.admin_password_file, f"{first_password}\n".encode())
    background: list[Background] = [way_out.senders, reading, *loops, jobs]
    return Engine(settings, services, stores, background, lag, ownership)


def _renewed(desk: SourceDesk) -> Renewed:
    """What journal bodies are decoded with today: by mappings of webhooks, or of feeds."""
    return lambda tx, received: (
        renewed(tx, received) if received.protocol == RECORDS else desk.renewed(tx, received)
    )


def _projecting(projector: Projector, refresher: SegmentRefresher) -> Callable[[], bool]:
    def step() -> bool:
        moved = projector.drain() > 0
        if moved:
            refresher.notice()
        return moved

    return step


def _retaining(stores: Stores, clock: Clock, imports: ImportJobs) -> Callable[[], bool]:
    retention = Retention(stores.state, stores.event_store, clock)

    def step() -> bool:
        imports.forget_old()
        expired = retention.run()
        if expired.events or expired.jobs:
            log.info("expired", events=expired.events, jobs=expired.jobs)
        return False

    return step


def _tidying(events: ChdbStore) -> Callable[[], bool]:
    def step() -> bool:
        events.tidy()
        return False

    return step


def _checkpoint(audit: AuditLog) -> Callable[[], bool]:
    def step() -> bool:
        audit.checkpoint()
        return False

    return step


def _pipeline(stores: Stores, catalogue: Catalogue, watch: PlanWatch) -> Pipeline:
    return Pipeline(
        journal=stores.journal,
        state=stores.state,
        event_store=stores.event_store,
        seen=stores.seen,
        catalogue=catalogue,
        cipher=stores.cipher,
        keys=stores.day_keys,
        protocols={**DECODERS, RECORDS: RecordsProtocol(stores.state, catalogue, stores.cipher)},
        watch=watch,
    )
