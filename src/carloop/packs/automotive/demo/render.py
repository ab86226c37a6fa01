"""Writes the log out as bodies of the own event protocol."""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import blake2b

import numpy as np

from carloop.core.demo import DemoBatch
from carloop.packs.automotive.demo.log import SOURCES, Log, Touch
from carloop.packs.automotive.demo.world import (
    CORP,
    MINI_APPID,
    OFFICIAL_APPID,
    OPEN_PLATFORM,
    World,
)

BATCH = 2_000
CHUNK = 40_000


def render(world: World, log: Log) -> Iterator[DemoBatch]:
    """Batches of at most 2 000 events of one source each, in order of occurrence by chunk."""
    columns = log.sorted(world.end_ms)
    people = _Identifiers(world)
    texts = log.texts
    waiting: dict[str, list[str]] = {}
    for begin in range(0, len(columns.at), CHUNK):
        part = slice(begin, begin + CHUNK)
        moments = np.datetime_as_string(columns.at[part].astype("datetime64[ms]")).tolist()
        rows = zip(
            moments,
            columns.person[part].tolist(),
            columns.touch[part].tolist(),
            columns.event[part].tolist(),
            columns.properties[part].tolist(),
            columns.extra[part].tolist(),
            strict=True,
        )
        for n, (at, person, touch, event, properties, extra) in enumerate(rows, begin):
            profile = f',"profile":{texts[extra]}' if extra else ""
            whom = people.of(person, touch) if person >= 0 else _nobody(texts[properties])
            line = (
                f'{{"message_id":"demo-{world.seed}-{n}","event":"{texts[event]}",'
                f'"occurred_at":"{at}Z",{whom},'
                f'"properties":{texts[properties]}{profile}}}'
            )
            waiting.setdefault(SOURCES[Touch(touch)], []).append(line)
        for source, lines in waiting.items():
            for first in range(0, len(lines), BATCH):
                yield _batch(source, lines[first : first + BATCH])
        waiting = {}


def _batch(source: str, lines: list[str]) -> DemoBatch:
    return DemoBatch(source, f"[{','.join(lines)}]".encode(), len(lines))


def _nobody(properties: str) -> str:
    """An event of no person names its dealer or vehicle beside the properties."""
    known = json.loads(properties)
    names = {"dealer": known.get("dealer"), "vehicle": known.get("vin")}
    return f'"entities":{json.dumps({type_: key for type_, key in names.items() if key})}'


class _Identifiers:
    """The identifiers a person shows at each touchpoint, as JSON."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.known: dict[int, str] = {}

    def of(self, person: int, touch: int) -> str:
        """The identifiers as a JSON member; remembered, because people come back."""
        key = person * 32 + touch
        said = self.known.get(key)
        if said is None:
            said = self.known[key] = self._make(person, Touch(touch))
        return said

    def _make(self, person: int, touch: Touch) -> str:
        world = self.world
        mobile = f'"mobile":"{world.mobile(person)}"'
        cookie = f'"anonymous_id":"{self._token("c", person, 24)}"'
        login = f'"login_id":"u{100_000 + person}"'
        device = (
            f'"oaid":"{self._token("d", person, 32)}"'
            if world.android[person]
            else f'"idfv":"{self._uuid(person)}"'
        )
        union = f'"unionid":{{"namespace":"{OPEN_PLATFORM}","value":"{self._wx("u", person)}"}}'
        mini = f'"openid":{{"namespace":"{MINI_APPID}","value":"{self._wx("m", person)}"}}'
        official = f'"openid":{{"namespace":"{OFFICIAL_APPID}","value":"{self._wx("o", person)}"}}'
        contact = f"wm{self._token('w', person, 30)}"
        wecom = f'"external_user_id":{{"namespace":"{CORP}","value":"{contact}"}}'
        dealer = world.dealers[world.dealer_of(person)]
        visit = (cookie,) if person % 10 < 4 else (mini,) if person % 10 in (5, 6, 7) else ()
        parts: dict[Touch, tuple[str, ...]] = {
            Touch.WEB: (cookie,),
            Touch.WEB_FORM: (cookie, mobile),
            Touch.APP: (login, device),
            Touch.APP_BOUND: (login, mobile, device),
            Touch.MINI: (mini, union) if person % 3 == 0 else (mini,),
            Touch.MINI_FORM: (mini, union, mobile),
            Touch.OFFICIAL: (official, union),
            Touch.WECOM: (wecom, union, mobile),
            Touch.MEDIA: (*visit, mobile),
            Touch.CRM: (mobile,),
            Touch.DMS: (mobile, f'"id_card":"{world.id_card(person)}"')
            if person % 4 == 0
            else (mobile,),
            Touch.CAR: (login,) if world.registered_ms[person] else (mobile,),
            Touch.TABLET: (f'"anonymous_id":"{dealer.tablet}"', mobile),
            Touch.STAFF: (f'"mobile":"{dealer.staff_phone}"',),
            Touch.SPOUSE: (f'"mobile":"{world.mobile(person ^ 1)}"',),
            Touch.PLACEHOLDER: ('"mobile":"13800138000"',),
            Touch.NOBODY: (),
        }
        return f'"identifiers":{{{",".join(parts[touch])}}}'

    def _token(self, kind: str, person: int, length: int) -> str:
        text = f"{self.world.seed}/{kind}/{person}".encode()
        return blake2b(text, digest_size=16).hexdigest()[:length]

    def _wx(self, kind: str, person: int) -> str:
        return f"o{kind}{self._token(kind, person, 26)}"

    def _uuid(self, person: int) -> str:
        t = self._token("d", person, 32)
        return f"{t[:8]}-{t[8:12]}-{t[12:16]}-{t[16:20]}-{t[20:]}".upper()
