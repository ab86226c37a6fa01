"""Backup, restore and verify: one consistent cut through every store, taken while events load.

The cut is the state store at one instant, whose loader cursor says which events belong to it. The
journal is copied afterwards, so it holds at least what came later: after a restore the loader
replays from the cursor, and nothing that was acknowledged before the journal's copy is missing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from carloop.app.pipeline import CURSOR
from carloop.core.ports.archive import (
    EventArchive,
    FileArchive,
    StateArchive,
    Summaries,
    TableSummary,
)
from carloop.kit.clock import Clock
from carloop.kit.errors import Conflict, InvalidInput, NotFound, Permanent
from carloop.kit.faults import reach
from carloop.kit.version import version

FORMAT = 1
MANIFEST = "manifest.json"
STATE, EVENTS, FILES = "state", "events", "files"


class Manifest(msgspec.Struct, frozen=True):
    """What a backup holds, at its cut.

    Attributes:
        cursor: sequence of the last event that was loaded.
        key_id: which master key opens it.
        checksums: SHA-256 of every file, by path.
    """

    format: int
    version: str
    revision: str
    created_at: str
    cursor: int
    key_id: str
    with_key: bool
    state: Mapping[str, TableSummary]
    events: Mapping[str, TableSummary]
    checksums: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Difference:
    """A table that does not hold what the manifest says."""

    store: str
    table: str
    expected: TableSummary | None
    found: TableSummary | None


class Backup:
    """Copies the whole installation out, in, and compares."""

    def __init__(
        self,
        state: StateArchive,
        events: EventArchive,
        files: FileArchive,
        clock: Clock,
        key_id: str,
    ) -> None:
        self._state = state
        self._events = events
        self._files = files
        self._clock = clock
        self._key_id = key_id

    def backup(self, target: Path, *, with_key: bool = False) -> Manifest:
        """Write a backup into an empty directory, beside a running load.

        Writers wait while the event store's projections are copied, not longer.

        Args:
            target: made when absent.
            with_key: put the master key in too. Whoever holds such a backup can read every
                personal value in it; without it, keep the key elsewhere.

        Raises:
            Conflict: ``not_empty``.
        """
        if target.exists() and any(target.iterdir()):
            raise Conflict("the backup directory is not empty", code="not_empty")
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        projections: dict[str, TableSummary] = {}

        def copy_projections() -> None:
            projections.update(self._events.dump_projections(target / EVENTS))
            reach("backup.cut")

        with self._state.cut(copy_projections) as snapshot:
            cursor = snapshot.cursor(CURSOR)
            state = snapshot.dump(target / STATE)
        logs = self._events.dump_logs(target / EVENTS, cursor)
        self._files.dump(target / FILES, with_key=with_key)
        reach("backup.copied")
        manifest = Manifest(
            format=FORMAT,
            version=version(),
            revision=self._state.revision,
            created_at=self._clock.now().isoformat(),
            cursor=cursor,
            key_id=self._key_id,
            with_key=with_key,
            state=dict(state),
            events={**projections, **logs},
            checksums=_checksums(target),
        )
        (target / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest)))
        return manifest

    def restore(self, source: Path) -> Manifest:
        """Read a backup into empty stores; start the server afterwards to replay the journal.

        Raises:
            NotFound: ``backup_missing``.
            Permanent: ``backup_damaged``: a file is not what it was.
            InvalidInput: ``backup_revision``, ``backup_key``: of another schema or master key.
            Conflict: ``not_empty``.
        """
        manifest = read_manifest(source)
        if manifest.revision != self._state.revision:
            raise InvalidInput("made by another version of carloop", code="backup_revision")
        if manifest.key_id != self._key_id:
            raise InvalidInput("made under another master key", code="backup_key")
        if _checksums(source) != dict(manifest.checksums):
            raise Permanent("a file of the backup has changed", code="backup_damaged")
        self._state.load(source / STATE)
        self._events.load(source / EVENTS)
        self._files.load(source / FILES)
        return manifest

    def verify(self, source: Path) -> list[Difference]:
        """Compare the stores with a backup just restored into them; empty means equal.

        Raises:
            NotFound: ``backup_missing``.
        """
        manifest = read_manifest(source)
        with self._state.cut(lambda: None) as snapshot:
            state = snapshot.summaries()
        events = self._events.summaries(manifest.cursor)
        return [
            *_differences(STATE, manifest.state, state),
            *_differences(EVENTS, manifest.events, events),
        ]


def read_manifest(source: Path) -> Manifest:
    """The manifest of a backup.

    Raises:
        NotFound: ``backup_missing``.
        Permanent: ``backup_damaged``.
    """
    try:
        return msgspec.json.decode((source / MANIFEST).read_bytes(), type=Manifest)
    except FileNotFoundError:
        raise NotFound("no backup in that directory", code="backup_missing") from None
    except msgspec.DecodeError as error:
        raise Permanent("the manifest cannot be read", code="backup_damaged") from error


def _differences(store: str, expected: Summaries, found: Summaries) -> list[Difference]:
    names: Any = sorted({*expected, *found})
    return [
        Difference(store, name, expected.get(name), found.get(name))
        for name in names
        if expected.get(name) != found.get(name)
    ]


def _checksums(directory: Path) -> dict[str, str]:
    sums = {}
    for path in sorted(directory.rglob("*")):
        name = path.relative_to(directory).as_posix()
        if path.is_file() and name != MANIFEST:
            with path.open("rb") as file:
                sums[name] = hashlib.file_digest(file, "sha256").hexdigest()
    return sums
