"""Backups as jobs, each in a directory of its own under the installation's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from carloop.app.audit import AuditLog
from carloop.app.backup import Backup
from carloop.app.jobs import JobContext, JobKind, JobRunner
from carloop.core.ports.jobs import Job
from carloop.core.scope import Caller
from carloop.kit.clock import Clock

KIND = "backup"


class Backups:
    """Queues backups of the running installation."""

    def __init__(
        self, backup: Backup, jobs: JobRunner, audit: AuditLog, clock: Clock, root: Path
    ) -> None:
        self._backup = backup
        self._jobs = jobs
        self._audit = audit
        self._clock = clock
        self._root = root
        jobs.register(JobKind(KIND, self._run))

    def start(self, caller: Caller, *, with_key: bool) -> Job:
        """Queue a backup; its result names the directory on the server's disk.

        Args:
            caller: who asked; noted in the audit log.
            with_key: put the master key in too.
        """
        name = self._clock.now().strftime("%Y%m%dT%H%M%S.%fZ")
        params = {"name": name, "with_key": with_key}
        self._audit.record(caller, "backup.start", f"backup:{name}", with_key=with_key)
        return self._jobs.submit(caller.scope.tenant, KIND, params, caller.id)

    def _run(self, context: JobContext) -> Mapping[str, Any]:
        directory = self._root / str(context.params["name"])
        manifest = self._backup.backup(directory, with_key=bool(context.params["with_key"]))
        return {
            "directory": str(directory),
            "key_id": manifest.key_id,
            "events": manifest.events["events"].rows,
        }
