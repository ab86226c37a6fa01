"""ADF 1.0, the XML in which sites send leads to car dealers; by POST, or an e-mail that holds it.

http://www.adfxml.info/adf_spec.pdf — real feeds hold unpadded hours, broken offsets, upper-case
processing instructions and blanks before the prolog; those are read. A document type is refused.
Each ``prospect`` is one ``lead_submitted``, identified by telephone and e-mail address.
"""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from email.message import EmailMessage
from typing import Any
from xml.etree.ElementTree import Element, tostring

import msgspec

from carloop.connectors import answers
from carloop.connectors.json_guard import BadEvent, guard_value
from carloop.connectors.own import profile_op
from carloop.connectors.protocol import Request, Response, Unwrapped
from carloop.connectors.transport import LAST_MS, content_id, header_key, plain_body
from carloop.connectors.values import id_text
from carloop.connectors.xml_guard import parse_xml, text_of
from carloop.core.events import (
    OWN_LIMITS,
    Decoded,
    EntityRef,
    Envelope,
    Limits,
    OpKind,
    ProfileOp,
    Received,
    Rejected,
)
from carloop.core.identifiers import RawIdentifier
from carloop.kit.clock import to_ms
from carloop.kit.errors import CarloopError, Malformed

OPENING = re.compile(rb"<adf[\s>]", re.IGNORECASE)
CLOSING = re.compile(rb"</adf\s{0,20}>", re.IGNORECASE)
PROLOG = re.compile(rb"<\?xml[^>]*encoding\s*=\s*[\"']([A-Za-z0-9_.-]+)[\"']", re.IGNORECASE)
PROLOG_BYTES = 1000
TIME = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ]\s*(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:[.,](\d+))?)?)?"
    r"\s*(?:([Zz])|([+-])(\d{1,2}):?(\d{1,2})?)?\s*\Z"
)
VEHICLE = (
    *("year", "make", "model", "vin", "stock", "trim", "doors", "bodystyle", "transmission"),
    *("odometer", "condition", "price", "comments"),
)
ADDRESS = ("city", "regioncode", "postalcode", "country")
MAIL = b"message/rfc822"


class AdfProtocol:
    """Leads in ADF."""

    name = "adf"
    title = {"zh": "ADF/XML 线索", "en": "ADF/XML leads"}
    routes = (("POST", "/adf"),)
    tails = ()
    limits = OWN_LIMITS

    def credentials(self, request: Request) -> str:
        """Basic user name, Bearer, ``X-Write-Key`` or ``?write_key=``."""
        return header_key(request) or request.query.get("write_key", "")

    def unwrap(self, request: Request, limits: Limits) -> Unwrapped:
        """The ADF document, out of whatever surrounds it, as UTF-8."""
        body = plain_body(request, limits)
        if request.headers.get("content-type", "").lower().startswith(MAIL.decode()):
            body = _out_of_mail(body)
        return Unwrapped(_document(body))

    def credentials_in(self, body: bytes) -> str:
        """None: ADF has no place for a key."""
        return ""

    def decode(self, received: Received, limits: Limits) -> Decoded:
        """One envelope for every prospect; see :meth:`IngestProtocol.decode`."""
        try:
            root = parse_xml(received.body, limits)
        except BadEvent as bad:
            return Decoded([], [bad.rejected(0, received.body)])
        events: list[Envelope] = []
        rejected: list[Rejected] = []
        for index, prospect in enumerate(_prospects(root, limits)):
            raw = tostring(prospect, "utf-8")
            try:
                if len(raw) > limits.event:
                    raise BadEvent("too_large")
                events.append(_envelope(prospect, raw, index, received.received_at, limits))
            except BadEvent as bad:
                rejected.append(bad.rejected(index, raw))
        return Decoded(events, rejected)

    def accepted(self, request: Request, decoded: Decoded) -> Response:
        """``{accepted, rejected}``."""
        return answers.summary(decoded)

    def refused(self, request: Request, error: CarloopError) -> Response:
        """Problem details."""
        return answers.problem(error)


def _out_of_mail(body: bytes) -> bytes:
    """The part of an e-mail that holds the document."""
    message = email.message_from_bytes(body, policy=email.policy.default)
    for part in message.walk():
        if part.is_multipart() or not isinstance(part, EmailMessage):
            continue
        content = part.get_payload(decode=True)
        if isinstance(content, bytes) and OPENING.search(content):
            return content
    raise Malformed("the e-mail holds no ADF document", code="xml_broken")


def _document(body: bytes) -> bytes:
    """``<adf>…</adf>`` alone, in UTF-8.

    A document type before it is found here, as what stands before the element is left out.
    """
    if body[:2] in (b"\xff\xfe", b"\xfe\xff"):
        body = _recoded(body, "utf-16")
    if re.search(rb"<!(?:DOCTYPE|ENTITY)", body, re.IGNORECASE):
        raise Malformed("document types and entities are refused", code="xml_forbidden")
    start = OPENING.search(body)
    end = CLOSING.search(body, start.end()) if start else None
    if start is None or end is None:
        raise Malformed("no ADF document", code="xml_broken")
    prolog = PROLOG.search(body[: start.start()][-PROLOG_BYTES:])
    encoding = prolog[1].decode() if prolog else "utf-8"
    return _recoded(body[start.start() : end.end()], encoding)


def _recoded(body: bytes, encoding: str) -> bytes:
    """UTF-8; where the declared encoding does not fit, UTF-8 or else Latin-1."""
    for name in (encoding, "utf-8", "latin-1"):
        try:
            return body.decode(name).encode()
        except (UnicodeError, LookupError):
            continue
    return body


def _prospects(root: Element, limits: Limits) -> Iterator[Element]:
    for number, prospect in enumerate(p for p in root if _tag(p) == "prospect"):
        if number >= limits.events_per_batch:
            return
        for element in prospect.iter():
            element.tag = _tag(element)
        yield prospect


def _tag(element: Element) -> str:
    return element.tag.lower() if isinstance(element.tag, str) else ""


def _envelope(
    prospect: Element, raw: bytes, index: int, received_at: int, limits: Limits
) -> Envelope:
    contact = prospect.find("customer/contact")
    identifiers = [
        RawIdentifier(type_, id_text(text_of(found), f"customer.contact.{path}"))
        for path, type_ in (("phone", "mobile"), ("email", "email"))
        for found in prospect.findall(f"customer/contact/{path}")
        if text_of(found)
    ]
    if not identifiers:
        raise BadEvent("missing_identifier", "customer.contact")
    properties = guard_value(_properties(prospect), limits, "prospect")
    sent_id = id_text(text_of(prospect, "id"), "id")
    source = prospect.find("id")
    origin = source.get("source", "") if source is not None else ""
    vendor = id_text(text_of(prospect, "vendor/id"), "vendor.id")
    at = text_of(prospect, "requestdate")
    return Envelope(
        index=index,
        message_id=content_id(b"adf", origin.encode(), sent_id.encode())
        if sent_id
        else content_id(raw),
        event="lead_submitted",
        occurred_at=_time(at) if at else received_at,
        identifiers=identifiers,
        entities=[EntityRef("dealer", vendor)] if vendor else [],
        properties=msgspec.json.encode(properties),
        profile=_profile(contact, limits),
    )


def _properties(prospect: Element) -> dict[str, Any]:
    found: dict[str, Any] = {"channel": text_of(prospect, "provider/name") or "adf"}
    lead = text_of(prospect, "id")
    if lead:
        found["lead_no"] = lead
    for name, path in (
        ("timeframe", "customer/timeframe/description"),
        ("comments", "customer/comments"),
        ("vendor", "vendor/vendorname"),
        ("service", "provider/service"),
    ):
        text = text_of(prospect, path)
        if text:
            found[name] = text
    if prospect.get("status"):
        found["status"] = prospect.get("status")
    vehicles = [_vehicle(vehicle) for vehicle in prospect.findall("vehicle")]
    if vehicles:
        first = vehicles[0]
        found.update({name: first[name] for name in ("model", "vin") if name in first})
        found["series"] = " ".join(
            str(first[name]) for name in ("make", "model") if name in first
        ) or ("")
        found["vehicles"] = vehicles
    return {name: value for name, value in found.items() if value != ""}


def _vehicle(vehicle: Element) -> dict[str, Any]:
    found: dict[str, Any] = {name: text_of(vehicle, name) for name in VEHICLE}
    found["interest"] = vehicle.get("interest", "")
    found["condition"] = found["condition"] or vehicle.get("status", "")
    colour = vehicle.find("colorcombination")
    if colour is not None:
        found["colour"] = text_of(colour, "exteriorcolor")
        found["interior"] = text_of(colour, "interiorcolor")
    return {name: value for name, value in found.items() if value}


def _profile(contact: Element | None, limits: Limits) -> list[ProfileOp]:
    if contact is None:
        return []
    names = {(n.get("part") or "full").lower(): text_of(n) for n in contact.findall("name")}
    full = names.get("full") or " ".join(
        names[part] for part in ("first", "middle", "last") if names.get(part)
    )
    values = {"name": full}
    values |= {name: text_of(contact, f"address/{name}") for name in ("city", "country")}
    return [profile_op(OpKind.SET, name, value, limits) for name, value in values.items() if value]


def _time(text: str) -> int:
    """Milliseconds since the epoch; a lost digit of hour or offset does no harm.

    >>> _time("2026-11-22T8:47:50-08:0") == _time("2026-11-22T08:47:50-08:00")
    True

    Raises:
        BadEvent: ``invalid_timestamp``.
    """
    found = TIME.match(text.strip())
    if found is None:
        raise BadEvent("invalid_timestamp", "requestdate")
    year, month, day, hour, minute, second, fraction, _, sign, hours, minutes = found.groups()
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    try:
        zone = timezone(-offset if sign == "-" else offset) if offset else UTC
        at = datetime(
            int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0),
            int((fraction or "0")[:6].ljust(6, "0")), zone,
        )  # fmt: skip
        ms = to_ms(at)
    except (ValueError, OverflowError) as error:
        raise BadEvent("invalid_timestamp", "requestdate") from error
    if not 0 <= ms <= LAST_MS:
        raise BadEvent("invalid_timestamp", "requestdate")
    return ms
