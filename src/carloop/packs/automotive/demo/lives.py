"""The life of each lead: enquiry, follow-up, visit, test drive, order or loss.

Planted for analysis to find:

* ``转介绍`` leads buy about seven times as often as ``抖音`` leads;
* on Android the mini-program loses most test-drive bookings in the last 60 days (a breakpoint);
* one advisor per eleventh dealer writes his own phone into other people's leads.
"""

from __future__ import annotations

from random import Random

from carloop.packs.automotive.demo import names
from carloop.packs.automotive.demo.log import Log, Touch
from carloop.packs.automotive.demo.owners import Owners, basics
from carloop.packs.automotive.demo.world import DAY_MS, HOUR_MS, LEAD, OWNER, World

BREAKPOINT_DAYS = 60
GRADE_ODDS = (("H", 0.10), ("A", 0.20), ("B", 0.35), ("C", 0.35))


class Lives:
    """Writes the life-cycle events of one world into a log."""

    def __init__(self, world: World, log: Log) -> None:
        self.world = world
        self.log = log
        self.draw = Random(world.seed)
        self.owners = Owners(world, log, self.draw)
        self.series = [{"name": s.name, "price": s.price} for s in names.SERIES]

    def run(self) -> None:
        """All people, one after another."""
        self._network()
        for person in range(self.world.people):
            kind = self.world.kind[person]
            if kind == LEAD:
                self._lead(person, int(self.world.arrived_ms[person]))
            elif kind == OWNER:
                dealer = self.world.dealers[self.world.dealer_of(person)]
                self.owners.deliver(person, int(self.world.arrived_ms[person]), dealer.code, None)
        self.owners.fleets()

    def _network(self) -> None:
        before = self.world.start_ms - 400 * DAY_MS
        for i, dealer in enumerate(self.world.dealers):
            at = before + i * HOUR_MS
            self.log.add(at, -1, Touch.NOBODY, "dealer_established", {"dealer": dealer.code})
            for advisor in dealer.advisors:
                at += 60_000
                self.log.add(
                    at,
                    -1,
                    Touch.NOBODY,
                    "advisor_employed",
                    {"dealer": dealer.code, "advisor": advisor},
                )
            for month in range(30):
                part = {"dealer": dealer.code, "part_no": f"P{(i + month) % 40:03d}"}
                self.log.add(
                    at + month * 30 * DAY_MS,
                    -1,
                    Touch.NOBODY,
                    ("part_ordered", "part_stocked", "part_sold")[month % 3],
                    {**part, "quantity": 1 + (i * month) % 9},
                )

    def _lead(self, person: int, at: int) -> None:
        world, draw, log = self.world, self.draw, self.log
        channel = names.CHANNELS[world.channel[person]]
        series = self.series[world.series[person]]
        dealer = world.dealers[world.dealer_of(person)]
        advisor = dealer.advisors[person % len(dealer.advisors)]
        lead_no = f"L{world.seed % 100:02d}{person:07d}"
        touch = {
            "官网": Touch.WEB_FORM,
            "小程序": Touch.MINI_FORM,
            "自然到店": Touch.TABLET,
            "车展": Touch.CRM,
        }.get(channel.name, Touch.MEDIA)
        if dealer.staff_phone and draw.random() < 0.12:
            touch = Touch.STAFF
        elif draw.random() < 0.004:
            touch = Touch.PLACEHOLDER
        log.add(
            at,
            person,
            touch,
            "lead_submitted",
            {"lead_no": lead_no, "channel": channel.name, "series": series["name"]},
            {"set": basics(self.world, person), "set_once": {"first_channel": channel.name}},
        )
        if touch in (Touch.PLACEHOLDER, Touch.STAFF):
            return
        here = {"dealer": dealer.code, "advisor": advisor}
        grade = draw.choices([g for g, _ in GRADE_ODDS], [o for _, o in GRADE_ODDS])[0]
        at += draw.randrange(60_000, HOUR_MS)
        assigned = {"lead_no": lead_no, **here, "grade": grade}
        log.add(at, person, Touch.CRM, "lead_assigned", assigned, {"set": {"lead_grade": grade}})
        if draw.random() < 0.07:
            reason = {"lead_no": lead_no, "reason": draw.choice(names.INVALID_REASONS)}
            log.add(at + 2 * HOUR_MS, person, Touch.CRM, "lead_invalidated", reason)
            return
        if draw.random() < 0.88:
            at += int(draw.expovariate(1 / 10) * HOUR_MS)
            log.add(at, person, Touch.CRM, "lead_contacted", assigned)
        self._showroom(person, at, lead_no, here, channel.quality)

    def _showroom(
        self, person: int, at: int, lead_no: str, here: dict[str, str], quality: float
    ) -> None:
        draw, log = self.draw, self.log
        series = self.series[self.world.series[person]]
        if draw.random() > min(0.9, 0.34 * quality):
            self._lost(person, at, lead_no, here)
            return
        at += int(draw.lognormvariate(1.3, 0.8) * DAY_MS)
        where = {**here, "series": series["name"]}
        if draw.random() < 0.2:
            log.add(at - 5 * HOUR_MS, person, Touch.CRM, "call_received", where)
        log.add(at, person, Touch.CRM, "store_visited", {**where, "companions": draw.randrange(4)})
        if draw.random() < 0.25:
            log.add(at + HOUR_MS, person, Touch.WECOM, "wecom_friend_added", here)
        drove = self._test_drive(person, at, here, series)
        odds = (0.52 if drove else 0.16) * min(1.5, 0.6 + quality / 2.5)
        if draw.random() > odds:
            self._lost(person, at + 9 * DAY_MS, lead_no, here)
            return
        self._order(person, at + int(draw.lognormvariate(1.8, 0.7) * DAY_MS), here)

    def _test_drive(
        self, person: int, at: int, here: dict[str, str], series: dict[str, object]
    ) -> bool:
        world, draw, log = self.world, self.draw, self.log
        android = bool(world.android[person])
        mini = person % 2 == 0
        touch = Touch.MINI if mini else Touch.APP
        asked = {
            "series": series["name"],
            "channel": "小程序" if mini else "App",
            "os": "Android" if android else "iOS",
        }
        at += draw.randrange(HOUR_MS, 2 * DAY_MS)
        log.add(at, person, touch, "test_drive_started_booking", asked)
        broken = mini and android and at > world.end_ms - BREAKPOINT_DAYS * DAY_MS
        if draw.random() > (0.15 if broken else 0.78):
            return False
        at += draw.randrange(60_000, 600_000)
        form = Touch.MINI_FORM if mini else Touch.APP_BOUND
        log.add(at, person, form, "test_drive_booked", {**asked, "dealer": here["dealer"]})
        at += draw.randrange(DAY_MS // 2, 4 * DAY_MS)
        if draw.random() < 0.16:
            missed = {"dealer": here["dealer"], "series": series["name"], "reason": "临时有事"}
            log.add(at, person, Touch.CRM, "test_drive_missed", missed)
            return False
        done = {**here, "series": series["name"], "score": 3 + draw.randrange(3)}
        log.add(at, person, Touch.CRM, "test_drive_completed", done)
        return True

    def _lost(self, person: int, at: int, lead_no: str, here: dict[str, str]) -> None:
        draw = self.draw
        at += int(draw.lognormvariate(2.6, 0.6) * DAY_MS)
        said = {
            "lead_no": lead_no,
            "reason": draw.choice(names.LOST_REASONS),
            "competitor": draw.choice(names.COMPETITORS),
            "dealer": here["dealer"],
        }
        self.log.add(at, person, Touch.CRM, "lead_lost", said)

    def _order(self, person: int, at: int, here: dict[str, str]) -> None:
        draw, log = self.draw, self.log
        series = self.series[self.world.series[person]]
        price = int(str(series["price"])) - draw.randrange(0, 9) * 1000
        order_no = f"O{self.world.seed % 100:02d}{person:07d}"
        paid = draw.choice(("全款", "贷款", "贷款", "置换"))
        placed = {"order_no": order_no, **here, "series": series["name"], "price": price}
        log.add(at - HOUR_MS, person, Touch.DMS, "quote_given", {**here, "price": price})
        log.add(at, person, Touch.DMS, "order_placed", {**placed, "payment": paid})
        if paid == "置换":
            log.add(
                at - 2 * HOUR_MS,
                person,
                Touch.DMS,
                "trade_in_appraised",
                {"dealer": here["dealer"], "price": price // 3},
            )
        if draw.random() < 0.06:
            gone = {"order_no": order_no, "reason": "等待过久", "dealer": here["dealer"]}
            log.add(at + 6 * DAY_MS, person, Touch.DMS, "order_cancelled", gone)
            return
        log.add(
            at + DAY_MS,
            person,
            Touch.DMS,
            "contract_signed",
            {"order_no": order_no, **here, "price": price},
        )
        if paid == "贷款":
            loan = {"order_no": order_no, "dealer": here["dealer"], "amount": price * 7 // 10}
            log.add(at + 2 * DAY_MS, person, Touch.DMS, "finance_supported", loan)
        money = {"order_no": order_no, "amount": price, "payment": paid, "dealer": here["dealer"]}
        log.add(at + 3 * DAY_MS, person, Touch.DMS, "payment_received", money)
        self.owners.deliver(
            person,
            at + int(draw.uniform(6, 30) * DAY_MS),
            here["dealer"],
            order_no,
            here["advisor"],
            price,
        )
