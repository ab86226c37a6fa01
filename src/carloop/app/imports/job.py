"""Import as a job: the uploaded file waits in a directory of the server until it is done."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from collections.abc import Mapping as Dict
from pathlib import Path
from typing import Any, BinaryIO
from uuid import uuid4

from carloop.app.imports.mapping import Mapping, parse_mapping
from carloop.app.imports.report import ErrorFile, ImportReport
from carloop.app.imports.run import Imports
from carloop.app.jobs import JobCancelled, JobContext, JobKind, JobRunner
from carloop.connectors.files import FORMATS
from carloop.core.ports.jobs import Job
from carloop.core.ports.state import State
from carloop.core.scope import Caller
from carloop.core.sources import Source, SourceKind
from carloop.kit.clock import Clock, to_ms
from carloop.kit.errors import InvalidInput, NotFound

KIND = "import"
ERRORS_DAYS = 7
MOST_JUDGED = 200_000
"""Rows of a trial that are judged."""
Judge = Callable[[int, Path, str, int], Dict[str, Any]]
"""Tenant, file, zone, most rows → what rules of data quality say of it, as a document."""


class ImportJobs:
    """Takes files in, queues their import, hands out the errors.

    Args:
        uploads: directory of files that wait; made when absent.
        quality: judges the file of a trial run; its document joins the report.
    """

    def __init__(
        self,
        imports: Imports,
        jobs: JobRunner,
        state: State,
        clock: Clock,
        uploads: Path,
        quality: Judge | None = None,
    ) -> None:
        self.imports = imports
        self._quality = quality
        self._jobs = jobs
        self._state = state
        self._clock = clock
        self._uploads = uploads
        jobs.register(JobKind(KIND, self._run, resumable=True))

    def receive(self, file: BinaryIO, name: str) -> Path:
        """Keep an uploaded file under a name of ours.

        Raises:
            InvalidInput: ``format_unknown``.
        """
        suffix = Path(name).suffix.lower()
        if suffix not in FORMATS:
            known = ", ".join(FORMATS)
            raise InvalidInput(
                f"not a format that can be imported ({known})", code="format_unknown"
            )
        self._uploads.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.forget_old()
        path = self._uploads / f"{uuid4()}{suffix}"
        with path.open("xb") as kept:
            shutil.copyfileobj(file, kept, 1024 * 1024)
        return path

    def submit(
        self,
        caller: Caller,
        path: Path,
        mapping: Mapping,
        *,
        source: str,
        dry_run: bool = False,
        again: bool = False,
    ) -> Job:
        """Queue the import of a received file into the source of that name (made where new)."""
        params = {
            "upload": path.name,
            "source": self._source(caller.scope.tenant, source).id,
            "mapping": mapping.text(),
            "dry_run": dry_run,
            "again": again,
        }
        return self._jobs.submit(caller.scope.tenant, KIND, params, caller.id)

    def errors(self, caller: Caller, job: str) -> Path:
        """The file of row errors of a job.

        Raises:
            NotFound: no such import, or it had no errors.
        """
        found = self._jobs.get(caller.scope.tenant, job.lower())
        path = self._errors(str(found.params.get("upload", "")))
        if found.kind != KIND or not path.is_file():
            raise NotFound("no row errors", code="errors_unknown")
        return path

    def _errors(self, upload: str) -> Path:
        return self._uploads / f"{Path(upload).stem}.errors.csv"

    def _source(self, tenant: int, name: str) -> Source:
        with self._state.write() as tx:
            found = tx.sources.named(tenant, name)
            if found is not None:
                return found
            now = to_ms(self._clock.now())
            kind = SourceKind.FILE
            return tx.sources.add(
                Source(tenant=tenant, id=0, name=name, kind=kind, historical=True, created_at=now)
            )

    def _run(self, context: JobContext) -> Dict[str, Any]:
        params = context.params
        path = self._uploads / str(params["upload"])
        with self._state.read() as tx:
            source = tx.sources.get(context.job.tenant, int(params["source"]))
        if source is None:
            raise NotFound("no such source", code="source_unknown")

        def progress(report: ImportReport, total: int | None) -> bool:
            try:
                context.report(report.rows, total)
            except JobCancelled:
                return True
            return False

        judged: Dict[str, Any] = {}
        try:
            if params["dry_run"]:
                judged = self.judged(context.job.tenant, path, str(params["mapping"]), MOST_JUDGED)
            with ErrorFile(self._errors(path.name), append=context.progress > 0) as errors:
                report = self.imports.run(
                    source,
                    path,
                    parse_mapping(str(params["mapping"])),
                    dry_run=bool(params["dry_run"]),
                    again=bool(params["again"]),
                    errors=errors,
                    progress=progress,
                )
        finally:
            path.unlink(missing_ok=True)
        if report.cancelled:
            raise JobCancelled
        return {**report.document(), **judged, "errors": errors.count}

    def judged(self, tenant: int, path: Path, mapping: str, most: int) -> Dict[str, Any]:
        """What joins the report of a trial: ``quality``, where something judges files."""
        if self._quality is None:
            return {}
        return {"quality": self._quality(tenant, path, parse_mapping(mapping).zone, most)}

    def forget_old(self) -> None:
        """Remove error files, and uploads nobody ran, after a week; once a day is enough."""
        before = to_ms(self._clock.now()) / 1000 - ERRORS_DAYS * 86_400
        for path in self._uploads.glob("*"):
            if path.stat().st_mtime < before:
                path.unlink(missing_ok=True)
