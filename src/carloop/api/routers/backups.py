"""Backups of the whole installation, as jobs."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from carloop.api.deps import Use, require
from carloop.api.routers.jobs import JobOut, job_out
from carloop.core.scope import Caller, Permission

router = APIRouter(tags=["backups"])


class BackupBody(BaseModel):
    """What to put in."""

    with_key: Annotated[
        bool,
        Field(description="The master key too: whoever holds the backup can then read all of it."),
    ] = False


@router.post("/api/backups", operation_id="create_backup", status_code=202)
def create_backup(
    body: BackupBody, caller: Annotated[Caller, require(Permission.SYSTEM_MANAGE)], use: Use
) -> JobOut:
    """Queue a backup; the job's result names its directory on the server's disk."""
    return job_out(use.backups.start(caller, with_key=body.with_key))
