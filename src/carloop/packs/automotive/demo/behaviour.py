"""Everyday behaviour on web, app and mini-program, drawn by the array.

Planted for analysis to find:

* owners' app activity drops after the fourth month of ownership;
* connected owners are about twice as active in their first month as unconnected ones;
* 30 % of the owners fall silent two weeks after delivery;
* a 50/50 experiment ``content_2026`` whose treatment claims coupons 1.4 times as often.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from carloop.packs.automotive.demo import names
from carloop.packs.automotive.demo.log import Columns, Ints, Log, Touch
from carloop.packs.automotive.demo.world import DAY_MS, HOUR_MS, LEAD, VISITOR, WINDOW_DAYS, World

EXPERIMENT_DAYS = 45
CONTROL_RATE, TREATMENT_RATE = 0.10, 0.14
SLOT_DAYS = 10
VOLUME = 0.85
"""Sessions relative to about 75 events a person."""

_HOURS = np.array(
    [2, 1, 1, 1, 1, 2, 4, 7, 9, 9, 9, 8, 9, 8, 7, 7, 7, 8, 9, 11, 13, 13, 9, 5], np.float64
)


class Behaviour:
    """Writes sessions into a log."""

    def __init__(self, world: World, log: Log) -> None:
        self.world = world
        self.log = log
        self.rng = world.rng

    def run(self) -> None:
        """Owners' app, prospects' browsing, then the experiment.

        Half the people browse the web site, four in ten the mini-program, one in ten both.
        """
        self._sessions(self._owner_rates(), Touch.APP, "app_opened", self._app_pool())
        browsing = self._browse_rates()
        place = np.arange(self.world.people)[:, None] % 10
        self._sessions(
            browsing * np.select([place < 5, place < 9], [1.0, 0.0], 0.5),
            Touch.WEB,
            "page_viewed",
            self._web_pool("官网"),
        )
        self._sessions(
            browsing * np.select([place < 5, place < 9], [0.0, 1.0], 0.5),
            Touch.MINI,
            "mini_program_opened",
            self._web_pool("小程序"),
        )
        self._experiment()

    def _slots(self) -> NDArray[np.int64]:
        count = WINDOW_DAYS // SLOT_DAYS
        return self.world.start_ms + np.arange(count, dtype=np.int64) * SLOT_DAYS * DAY_MS

    def _owner_rates(self) -> NDArray[np.float64]:
        """Expected app sessions per person and slot."""
        world, slots = self.world, self._slots()[None, :]
        got = np.where(world.registered_ms > 0, world.registered_ms, 2**62)[:, None]
        age_days = (slots - got) / DAY_MS
        connected = world.connected[:, None]
        per_day = np.select(
            [age_days < 0, age_days < 30, age_days < 120],
            [0.0, np.where(connected, 0.8, 0.38), np.where(connected, 0.5, 0.3)],
            np.where(connected, 0.14, 0.1),
        )
        quiet = world.silent[:, None] & (age_days > 14)
        return np.asarray(np.where(quiet, 0.0, per_day) * SLOT_DAYS * VOLUME)

    def _browse_rates(self) -> NDArray[np.float64]:
        """Expected browsing sessions per person and slot, around the first contact."""
        world, slots = self.world, self._slots()[None, :]
        days = np.abs(slots - world.arrived_ms[:, None]) / DAY_MS
        base = np.where(world.kind == LEAD, 1.9, np.where(world.kind == VISITOR, 1.25, 0.12))
        near = np.exp(-days / 35) * base[:, None]
        return np.asarray((near + 0.05 * (base > 0.5)[:, None]) * VOLUME)

    def _sessions(
        self,
        rates: NDArray[np.float64],
        touch: Touch,
        opening: str,
        pool: tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]],
    ) -> None:
        rng, slots = self.rng, self._slots()
        counts = rng.poisson(rates)
        person, slot = np.nonzero(counts)
        times = counts[person, slot]
        person = np.repeat(person, times).astype(np.int32)
        start = np.repeat(slots[slot], times)
        days = rng.integers(0, SLOT_DAYS, len(person))
        hours = rng.choice(24, len(person), p=_HOURS / _HOURS.sum())
        start = start + days * DAY_MS + hours * HOUR_MS
        start = start + rng.integers(0, HOUR_MS, len(person))
        self._emit(person, start, touch, self.log.text(opening), np.ones(len(person), np.int32))
        clicks = 1 + rng.poisson(1.6, len(person))
        person, start = np.repeat(person, clicks), np.repeat(start, clicks)
        step = np.arange(len(person)) - np.repeat(np.cumsum(clicks) - clicks, clicks)
        start = start + (step + 1) * 25_000 + rng.integers(0, 20_000, len(person))
        events, properties, weights = pool
        pick = rng.choice(len(events), len(person), p=weights / weights.sum())
        self._emit(person, start, touch, events[pick], properties[pick])

    def _emit(
        self,
        person: Ints,
        at: Ints,
        touch: Touch,
        event: Ints | int,
        properties: Ints,
    ) -> None:
        size = len(person)
        self.log.extend(
            Columns(
                at,
                person,
                np.full(size, touch, np.int8),
                np.broadcast_to(np.asarray(event, np.int32), size),
                properties,
                np.zeros(size, np.int32),
            )
        )

    def _pool(
        self, rows: list[tuple[str, dict[str, object], float]]
    ) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]:
        return (
            np.array([self.log.text(event) for event, _, _ in rows], np.int32),
            np.array([self.log.text(said) for _, said, _ in rows], np.int32),
            np.array([weight for _, _, weight in rows]),
        )

    def _app_pool(self) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]:
        rows: list[tuple[str, dict[str, object], float]] = []
        for os in ("Android", "iOS"):
            for title, weight in (("车控", 3.0), ("社区", 2.0), ("商城", 1.0), ("服务", 1.2)):
                said: dict[str, object] = {"title": title, "channel": "App", "os": os}
                rows.append(("screen_viewed", said, weight))
        for i, kind in enumerate(names.CONTENT_TYPES):
            content: dict[str, object] = {
                "content_id": f"N{i + 1:03d}",
                "content_type": kind,
                "channel": "App",
            }
            rows.append(("content_viewed", content, 0.9))
            rows.append(("content_shared", content, 0.10))
        rows.append(("points_earned", {"points": 5, "reason": "签到"}, 1.2))
        rows.append(("points_redeemed", {"points": 100, "content_id": "G001"}, 0.08))
        rows.append(("club_activity_joined", {"campaign": "车友自驾"}, 0.05))
        return self._pool(rows)

    def _web_pool(
        self, channel: str
    ) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]:
        rows: list[tuple[str, dict[str, object], float]] = []
        for series in names.SERIES:
            for os in ("Android", "iOS", "Windows"):
                seen: dict[str, object] = {
                    "series": series.name,
                    "channel": channel,
                    "price": series.price,
                    "os": os,
                }
                rows.append(("series_viewed", seen, series.weight))
            page: dict[str, object] = {
                "url": f"https://www.chiyuan.example/{series.name.lower()}",
                "title": f"{series.name} 首页",
                "channel": channel,
                "series": series.name,
            }
            rows.append(("page_viewed", page, series.weight * 1.4))
            configured: dict[str, object] = {
                "series": series.name,
                "model": f"{series.name} 豪华版",
                "price": series.price + 12_000,
                "channel": channel,
            }
            rows.append(("configuration_saved", configured, series.weight * 0.25))
            loan: dict[str, object] = {
                "series": series.name,
                "price": series.price,
                "payment": "36 期",
                "channel": channel,
            }
            rows.append(("finance_calculated", loan, series.weight * 0.2))
        for i, kind in enumerate(names.CONTENT_TYPES):
            content: dict[str, object] = {
                "content_id": f"N{i + 1:03d}",
                "content_type": kind,
                "channel": channel,
            }
            rows.append(("content_viewed", content, 1.4))
            rows.append(("content_shared", content, 0.12))
        rows += [("searched", {"keyword": k, "channel": channel}, 0.3) for k in names.KEYWORDS]
        rows.append(("live_watched", {"content_id": "LIVE01", "duration_s": 300}, 0.4))
        return self._pool(rows)

    def _experiment(self) -> None:
        """Expose a fifth of everybody with an app; the treatment claims more coupons."""
        world, rng = self.world, self.rng
        exposed = np.flatnonzero((world.registered_ms > 0) & (rng.random(world.people) < 0.6))
        begin = world.end_ms - EXPERIMENT_DAYS * DAY_MS
        at = begin + rng.integers(0, (EXPERIMENT_DAYS - 5) * DAY_MS, len(exposed))
        late = world.registered_ms[exposed] > at
        exposed, at = exposed[~late].astype(np.int32), at[~late]
        arms = np.array(
            [
                self.log.text({"experiment": "content_2026", "arm": arm, "channel": "App"})
                for arm in ("control", "treatment")
            ],
            np.int32,
        )
        arm = world.arm[exposed]
        self._emit(exposed, at, Touch.APP, self.log.text("experiment_exposed"), arms[arm])
        rate = np.where(arm == 1, TREATMENT_RATE, CONTROL_RATE)
        took = rng.random(len(exposed)) < rate
        coupon = self.log.text({"campaign": "content_2026", "amount": 500, "channel": "App"})
        claimed = exposed[took]
        self._emit(
            claimed,
            at[took] + rng.integers(60_000, 3 * DAY_MS, len(claimed)),
            Touch.APP,
            self.log.text("coupon_claimed"),
            np.full(len(claimed), coupon, np.int32),
        )
