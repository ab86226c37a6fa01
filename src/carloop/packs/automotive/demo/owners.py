"""Life with a car: delivery, connected driving, service, insurance, transfer; and fleets.

Planted for analysis to find:

* 3 % of owners' cars are brought in by a spouse whose phone serves two names;
* 2 % of the vehicles change hands, and their service history goes on under a new owner;
* service customers thin out by a fifth from visit to visit.
"""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random

from carloop.packs.automotive.demo import names
from carloop.packs.automotive.demo.log import Log, Touch
from carloop.packs.automotive.demo.world import DAY_MS, HOUR_MS, World
from carloop.packs.automotive.vin import make_vin


class Owners:
    """Writes what happens from delivery on into a log."""

    def __init__(self, world: World, log: Log, draw: Random) -> None:
        self.world = world
        self.log = log
        self.draw = draw
        self.serial = 0

    def _vehicle(self, at: int, dealer: str, series: int) -> str:
        self.serial += 1
        kind = names.SERIES[series]
        vin = make_vin("LCY", kind.descriptor, 2023 + self.serial % 4, "B", self.serial)
        self.log.add(
            at - 40 * DAY_MS,
            -1,
            Touch.NOBODY,
            "vehicle_purchased",
            {"dealer": dealer, "vin": vin, "series": kind.name, "price": kind.price * 9 // 10},
        )
        for days, event in ((25, "vehicle_shipped"), (21, "vehicle_accepted")):
            self.log.add(
                at - days * DAY_MS, -1, Touch.NOBODY, event, {"dealer": dealer, "vin": vin}
            )
        self.log.add(
            at - 20 * DAY_MS,
            -1,
            Touch.NOBODY,
            "vehicle_stocked",
            {"dealer": dealer, "vin": vin, "series": kind.name},
        )
        return vin

    def deliver(
        self,
        person: int,
        at: int,
        dealer: str,
        order_no: str | None,
        advisor: str | None = None,
        price: int | None = None,
    ) -> None:
        """Hand over a new vehicle and live with it until the window ends."""
        world, draw, log = self.world, self.draw, self.log
        series = int(world.series[person])
        vin = self._vehicle(at, dealer, series)
        if at > world.end_ms:
            return
        world.delivered_ms[person] = at
        connected = bool(world.connected[person])
        kind = names.SERIES[series]
        day = world_day(at)
        profile: dict[str, object] = {
            "set": {
                **basics(self.world, person),
                "customer_type": "CRM",
                "connected": connected,
                "purchase_date": day,
                "birth_date": world.birth_date(person),
            },
            "append": {"owned_series": kind.name},
        }
        given: dict[str, object] = {
            "order_no": order_no or f"H{person:07d}",
            "vin": vin,
            "dealer": dealer,
            "series": kind.name,
            "price": price or kind.price,
            "connected": connected,
        }
        if advisor:
            given["advisor"] = advisor
        log.add(at, person, Touch.DMS, "vehicle_delivered", given, profile)
        if draw.random() < 0.5:
            asked = {"dealer": dealer, "score": draw.choice((6, 7, 8, 9, 9, 10))}
            log.add(at + 7 * DAY_MS, person, Touch.CRM, "purchase_surveyed", asked)
        if connected:
            log.add(
                at + HOUR_MS,
                person,
                Touch.CAR,
                "vehicle_connected",
                {"vin": vin, "connected": True},
            )
        self._owner(person, at, dealer, vin)

    def _owner(self, person: int, at: int, dealer: str, vin: str) -> None:
        world, draw, log = self.world, self.draw, self.log
        joined = at + draw.randrange(HOUR_MS, 5 * DAY_MS)
        if draw.random() < 0.8:
            world.registered_ms[person] = joined
            log.add(joined, person, Touch.APP_BOUND, "account_registered", {"channel": "App"})
            if draw.random() < 0.6:
                level = draw.choices(("银卡", "金卡", "黑卡"), (7, 2.5, 0.5))[0]
                log.add(
                    joined + 60_000,
                    person,
                    Touch.APP,
                    "member_joined",
                    {"level": level, "channel": "App"},
                    {"set": {"level": level}},
                )
        if world.connected[person]:
            self._drives(person, at, vin)
        self._services(person, at, dealer, vin)
        for year in (1, 2):
            due = at + year * 365 * DAY_MS
            log.add(
                due - 30 * DAY_MS,
                person,
                Touch.CRM,
                "customer_cared",
                {"dealer": dealer, "reason": names.CARE_REASONS[person % 4]},
            )
            if draw.random() < 0.55:
                paid = {"dealer": dealer, "vin": vin, "amount": 3000 + person % 2500}
                log.add(
                    due - draw.randrange(20) * DAY_MS, person, Touch.DMS, "insurance_renewed", paid
                )
        if draw.random() < 0.02:
            self._transfer(person, at + draw.randrange(200, 700) * DAY_MS, dealer, vin)

    def _drives(self, person: int, at: int, vin: str) -> None:
        odometer = 0
        for week in range(2, 130, 2):
            when = at + week * 7 * DAY_MS
            if when > self.world.end_ms:
                break
            run = self.draw.randrange(120, 840)
            odometer += run
            said = {"vin": vin, "mileage_km": run, "odometer_km": odometer}
            self.log.add(when, person, Touch.CAR, "vehicle_usage_reported", said)
            if names.SERIES[self.world.series[person]].electric:
                self.log.add(
                    when - 2 * HOUR_MS,
                    person,
                    Touch.CAR,
                    "charging_completed",
                    {"vin": vin, "energy_kwh": run * 15 // 100, "amount": run // 7},
                )

    def _services(self, person: int, at: int, dealer: str, vin: str) -> None:
        draw, log = self.draw, self.log
        spouse = draw.random() < 0.03
        visit = 0
        while draw.random() < (0.92 if visit == 0 else 0.8) and visit < 8:
            visit += 1
            at += int(draw.gauss(95 if visit == 1 else 175, 20) * DAY_MS)
            if at > self.world.end_ms:
                return
            who = Touch.SPOUSE if spouse else Touch.DMS
            what = draw.choices(("保养", "一般维修", "事故钣喷", "索赔"), (7, 2, 0.7, 0.6))[0]
            where = {"dealer": dealer, "vin": vin}
            if draw.random() < 0.7:
                log.add(
                    at - 2 * DAY_MS,
                    person,
                    Touch.APP,
                    "service_booked",
                    {**where, "service_type": what, "channel": "App"},
                )
            km = visit * 6000 + draw.randrange(3000)
            checked = {**where, "service_type": what, "odometer_km": km}
            if draw.random() < 0.004:
                checked["vin"] = vin[:-2] + "O" + vin[-1]
            log.add(at, person, who, "service_checked_in", checked)
            log.add(
                at + HOUR_MS // 2, person, who, "work_dispatched", {**where, "service_type": what}
            )
            labour, parts = draw.randrange(100, 900), draw.randrange(150, 2600)
            bill = {**where, "service_type": what, "odometer_km": km, "labour": labour}
            done = at + draw.randrange(1, 6) * HOUR_MS
            log.add(
                done,
                person,
                who,
                "service_completed",
                {**bill, "parts": parts, "amount": labour + parts},
                {"increment": {"points": (labour + parts) // 10}},
            )
            self._aftercare(person, done, dealer, vin, what)

    def _aftercare(self, person: int, at: int, dealer: str, vin: str, what: str) -> None:
        draw, log = self.draw, self.log
        where = {"dealer": dealer, "vin": vin}
        if what == "索赔":
            part = f"P{person % 40:03d}"
            claim = {**where, "part_no": part, "amount": 800, "reason": "异响"}
            log.add(at, person, Touch.DMS, "warranty_claimed", claim)
            log.add(
                at + DAY_MS,
                person,
                Touch.DMS,
                "old_part_returned",
                {**where, "part_no": part, "quantity": 1},
            )
        if draw.random() < 0.3:
            asked = {"dealer": dealer, "score": draw.choice((5, 7, 8, 9, 10))}
            log.add(at + 2 * DAY_MS, person, Touch.CRM, "service_surveyed", asked)
        if draw.random() < 0.03:
            filed = {**where, "reason": draw.choice(names.COMPLAINT_REASONS)}
            log.add(at + DAY_MS, person, Touch.CRM, "complaint_filed", filed)
            closed = {"dealer": dealer, "score": draw.randrange(1, 6)}
            log.add(at + 4 * DAY_MS, person, Touch.CRM, "complaint_closed", closed)
        if draw.random() < 0.01:
            log.add(
                at + 20 * DAY_MS,
                person,
                Touch.CRM,
                "rescue_dispatched",
                {**where, "reason": "亏电"},
            )
        if draw.random() < 0.02:
            recall = {**where, "campaign": "R2026-01"}
            log.add(at, person, Touch.DMS, "recall_completed", recall)

    def _transfer(self, person: int, at: int, dealer: str, vin: str) -> None:
        """A visitor of the same city becomes the second owner."""
        buyer = (person * 7 + 11) % self.world.people
        self.log.add(
            at,
            buyer,
            Touch.DMS,
            "ownership_transferred",
            {"vin": vin, "dealer": dealer},
            {"set": {"name": self.world.name(buyer), "customer_type": "CRM"}},
        )
        bill = {"dealer": dealer, "vin": vin, "service_type": "保养", "amount": 620}
        self.log.add(at + 60 * DAY_MS, buyer, Touch.DMS, "service_completed", bill)

    def fleets(self) -> None:
        """Companies that buy many vehicles through one contact person."""
        draw, world = self.draw, self.world
        for fleet in range(max(3, world.people // 1000)):
            contact = draw.randrange(world.people)
            dealer = world.dealers[world.dealer_of(contact)]
            uscc = _uscc(fleet + world.seed % 1000)
            at = world.start_ms + draw.randrange(500) * DAY_MS
            for n in range(draw.randrange(5, 50)):
                series = draw.randrange(len(names.SERIES))
                vin = self._vehicle(at, dealer.code, series)
                self.log.add(
                    at + n * 60_000,
                    contact,
                    Touch.DMS,
                    "fleet_delivered",
                    {
                        "order_no": f"F{fleet:03d}{n:03d}",
                        "uscc": uscc,
                        "vin": vin,
                        "dealer": dealer.code,
                        "series": names.SERIES[series].name,
                    },
                )


def basics(world: World, person: int) -> dict[str, object]:
    """What a lead form or a contract tells about a person, as profile fields."""
    city = names.CITIES[world.city[person]]
    known: dict[str, object] = {
        "name": world.name(person),
        "gender": "female" if world.female[person] else "male",
        "city": city.name,
        "province": city.province,
        "region": city.code,
        "customer_type": "PRM",
        "intended_series": names.SERIES[world.series[person]].name,
    }
    if person % 3 == 0:
        known["budget_wan"] = 8 + person % 18
    if person % 4 == 0:
        known["occupation"] = names.OCCUPATIONS[person % 8]
    if person % 5 == 0:
        known["family_size"] = 1 + person % 5
    if person % 6 == 0:
        known["interests"] = [names.INTERESTS[person % 8], names.INTERESTS[person // 8 % 8]]
    return known


def world_day(ms: int) -> str:
    """ISO date of an instant in UTC.

    >>> world_day(0)
    '1970-01-01'
    """
    return datetime.fromtimestamp(ms / 1000, UTC).date().isoformat()


def _uscc(number: int) -> str:
    """A valid unified social credit code (GB 32100)."""
    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    body = f"9144030{number:010d}"
    total = sum(alphabet.index(c) * pow(3, i, 31) for i, c in enumerate(body))
    return body + alphabet[(31 - total % 31) % 31]
