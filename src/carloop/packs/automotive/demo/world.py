"""The people, dealers and advisors of the demo, drawn from one seed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from carloop.packs.automotive.demo import names

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
ZONE_MS = 8 * HOUR_MS
"""China Standard Time: days begin and end in it."""
WINDOW_DAYS = 540
"""Behaviour covers the last 18 months; existing owners got their cars up to a year before."""
MINI_APPID = "wx8f2c61d0a7b94e35"
OFFICIAL_APPID = "wx31b7e0c4d95a2f68"
OPEN_PLATFORM = "chiyuan"
CORP = "ww6d1f0a83c2e457b9"

VISITOR, LEAD, OWNER = 0, 1, 2
ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


@dataclass(slots=True)
class Dealer:
    """A dealer, its city and its advisors' numbers."""

    code: str
    city: int
    advisors: list[str]
    staff_phone: str | None
    """The phone one advisor writes into other people's leads, if this dealer has such a habit."""
    tablet: str
    """Cookie of the showroom tablet that everybody uses."""


@dataclass(slots=True)
class World:
    """Everything that is fixed before time starts; arrays are indexed by person."""

    seed: int
    start_ms: int
    end_ms: int
    rng: np.random.Generator
    kind: NDArray[np.int8]
    female: NDArray[np.bool_]
    birth_year: NDArray[np.int16]
    city: NDArray[np.int16]
    series: NDArray[np.int8]
    channel: NDArray[np.int8]
    arrived_ms: NDArray[np.int64]
    """First contact for visitors and leads; delivery for existing owners."""
    android: NDArray[np.bool_]
    connected: NDArray[np.bool_]
    silent: NDArray[np.bool_]
    arm: NDArray[np.int8]
    dealers: list[Dealer]
    by_city: dict[int, list[int]]
    delivered_ms: NDArray[np.int64] = field(init=False)
    """When each person got a vehicle; 0 for never."""
    registered_ms: NDArray[np.int64] = field(init=False)
    """When each person signed up in the app; 0 for never."""

    def __post_init__(self) -> None:
        self.delivered_ms = np.zeros(len(self.kind), np.int64)
        self.registered_ms = np.zeros(len(self.kind), np.int64)

    @property
    def people(self) -> int:
        """How many people there are."""
        return len(self.kind)

    def mobile(self, person: int) -> str:
        """A syntactically valid mainland mobile number, one per person."""
        prefix = ("139", "138", "136", "150", "186", "177", "189", "158")[person % 8]
        return f"{prefix}{(person * 7_919 + 12_345_678 + self.seed) % 100_000_000:08d}"

    def name(self, person: int) -> str:
        """A Chinese name, by gender."""
        given = names.GIVEN_FEMALE if self.female[person] else names.GIVEN_MALE
        first = given[person * 31 % len(given)]
        second = given[person * 17 % len(given)] if person % 5 else ""
        return names.SURNAMES[person * 13 % len(names.SURNAMES)] + first + second

    def birth_date(self, person: int) -> str:
        """ISO date of birth."""
        return f"{self.birth_year[person]}-{person % 12 + 1:02d}-{person % 28 + 1:02d}"

    def id_card(self, person: int) -> str:
        """A valid 18-character ID-card number (GB 11643) of the person's city and birth date."""
        region = names.CITIES[self.city[person]].code[:4] + "02"
        order = person % 500 * 2 + (0 if self.female[person] else 1)
        body = f"{region}{self.birth_date(person).replace('-', '')}{order:03d}"
        total = sum(int(c) * w for c, w in zip(body, ID_WEIGHTS, strict=True))
        return body + "10X98765432"[total % 11]

    def dealer_of(self, person: int) -> int:
        """The dealer in the person's city who gets the lead."""
        near = self.by_city[int(self.city[person])]
        return near[person % len(near)]


def make_world(people: int, seed: int, end_ms: int) -> World:
    """Draw the world; the same arguments give the same world."""
    rng = np.random.default_rng(seed)
    today = (end_ms + ZONE_MS) // DAY_MS * DAY_MS - ZONE_MS
    start = today - (WINDOW_DAYS - 1) * DAY_MS
    weights = np.array([c.weight for c in names.CITIES])
    kind = rng.choice(3, people, p=[0.42, 0.41, 0.17]).astype(np.int8)
    age = np.clip(rng.normal(35, 9, people), 19, 70)
    arrived = start + (rng.beta(1.25, 1.0, people) * WINDOW_DAYS * DAY_MS).astype(np.int64)
    owners = kind == OWNER
    earlier = rng.integers(0, 365 * DAY_MS, int(owners.sum()))
    arrived[owners] = start - earlier
    _auto_show(rng, kind, arrived, end_ms)
    dealers, by_city = _dealers(rng, max(len(names.CITIES), people // 330), weights, seed)
    shares = np.array([c.share for c in names.CHANNELS])
    series = np.array([s.weight for s in names.SERIES])
    year = datetime.fromtimestamp(end_ms / 1000, UTC).year
    return World(
        seed=seed,
        start_ms=start,
        end_ms=end_ms,
        rng=rng,
        kind=kind,
        female=rng.random(people) < 0.43,
        birth_year=(year - age).astype(np.int16),
        city=rng.choice(len(weights), people, p=weights / weights.sum()).astype(np.int16),
        series=rng.choice(len(series), people, p=series / series.sum()).astype(np.int8),
        channel=rng.choice(len(shares), people, p=shares / shares.sum()).astype(np.int8),
        arrived_ms=arrived,
        android=rng.random(people) < 0.62,
        connected=rng.random(people) < 0.6,
        silent=rng.random(people) < 0.3,
        arm=rng.integers(0, 2, people).astype(np.int8),
        dealers=dealers,
        by_city=by_city,
    )


def _auto_show(
    rng: np.random.Generator, kind: NDArray[np.int8], arrived: NDArray[np.int64], end_ms: int
) -> None:
    """Move 4 % of the leads into one auto-show week: a spike for alerts to find."""
    leads = np.flatnonzero(kind == LEAD)
    moved = rng.choice(leads, len(leads) // 25, replace=False)
    arrived[moved] = end_ms - 203 * DAY_MS + rng.integers(0, 7 * DAY_MS, len(moved))


def _dealers(
    rng: np.random.Generator, count: int, weights: NDArray[np.float64], seed: int
) -> tuple[list[Dealer], dict[int, list[int]]]:
    cities = list(range(len(weights)))
    more = rng.choice(len(weights), count - len(cities), p=weights / weights.sum())
    cities += [int(c) for c in more]
    dealers: list[Dealer] = []
    by_city: dict[int, list[int]] = {}
    for i, city in enumerate(cities):
        code = f"D{i + 1:03d}"
        advisors = [f"A{i + 1:03d}{n:02d}" for n in range(1, 5 + i % 4)]
        staff = f"1350000{(i * 37 + seed) % 9000 + 1000:04d}" if i % 11 == 3 else None
        dealers.append(Dealer(code, city, advisors, staff, f"tablet-{code.lower()}-{seed:06d}"))
        by_city.setdefault(city, []).append(i)
    return dealers, by_city
