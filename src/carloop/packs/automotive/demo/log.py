"""A compact log of demo events: numbers until the moment they are written out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.integer[Any]]


class Touch(IntEnum):
    """Where an event happens: decides its source and which identifiers it carries."""

    WEB = 0
    WEB_FORM = 1
    APP = 2
    APP_BOUND = 3
    MINI = 4
    MINI_FORM = 5
    OFFICIAL = 6
    WECOM = 7
    MEDIA = 8
    CRM = 9
    DMS = 10
    CAR = 11
    TABLET = 12
    STAFF = 13
    SPOUSE = 14
    PLACEHOLDER = 15
    NOBODY = 16


SOURCES: Mapping[Touch, str] = {
    Touch.WEB: "web",
    Touch.WEB_FORM: "web",
    Touch.APP: "app",
    Touch.APP_BOUND: "app",
    Touch.MINI: "mini_program",
    Touch.MINI_FORM: "mini_program",
    Touch.OFFICIAL: "official_account",
    Touch.WECOM: "wecom",
    Touch.MEDIA: "media",
    Touch.CRM: "crm",
    Touch.DMS: "dms",
    Touch.CAR: "tsp",
    Touch.TABLET: "crm",
    Touch.STAFF: "crm",
    Touch.SPOUSE: "dms",
    Touch.PLACEHOLDER: "media",
    Touch.NOBODY: "dms",
}


class Columns(NamedTuple):
    """The whole log as arrays, one row per event; ``extra`` is 0 where there is no profile."""

    at: Ints
    person: Ints
    touch: Ints
    event: Ints
    properties: Ints
    extra: Ints


@dataclass(slots=True)
class Log:
    """Collects events one by one (lives) and by the array (behaviour)."""

    texts: list[str] = field(default_factory=lambda: ["", "{}"])
    _index: dict[str, int] = field(default_factory=lambda: {"": 0, "{}": 1})
    _rows: list[tuple[int, int, int, int, int, int]] = field(default_factory=list)
    _arrays: list[Columns] = field(default_factory=list)

    def text(self, value: Mapping[str, object] | str) -> int:
        """The index of a text in the pool; mappings are written as JSON."""
        said = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        found = self._index.get(said)
        if found is None:
            found = self._index[said] = len(self.texts)
            self.texts.append(said)
        return found

    def add(
        self,
        at: int,
        person: int,
        touch: Touch,
        event: str,
        properties: Mapping[str, object] | None = None,
        profile: Mapping[str, object] | None = None,
    ) -> None:
        """One event; ``profile`` is the own protocol's profile object."""
        self._rows.append(
            (
                at,
                person,
                touch,
                self.text(event),
                self.text(properties) if properties else 1,
                self.text(profile) if profile else 0,
            )
        )

    def extend(self, columns: Columns) -> None:
        """Many events at once."""
        self._arrays.append(columns)

    def sorted(self, end_ms: int) -> Columns:
        """All events up to ``end_ms`` in order of occurrence."""
        rows = np.array(self._rows, np.int64).reshape(-1, 6)
        parts = [*self._arrays, Columns(*(rows[:, i] for i in range(6)))]
        at = np.concatenate([p.at for p in parts]).astype(np.int64)
        order = np.argsort(at, kind="stable")
        order = order[at[order] <= end_ms]
        kinds = (np.int64, np.int32, np.int8, np.int32, np.int32, np.int32)
        return Columns(
            *(
                np.concatenate([p[i] for p in parts]).astype(kind)[order]
                for i, kind in enumerate(kinds)
            )
        )
