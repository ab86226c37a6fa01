"""The envelope of the Sensors protocol: a form with base64, perhaps gzip, perhaps a checksum."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl

import numpy as np

from carloop.connectors.protocol import Request
from carloop.connectors.transport import GZIP_MAGIC, inflate, plain_body, unbase64
from carloop.core.events import Limits
from carloop.kit.errors import Malformed, TooLarge

FIELDS = 32


def unwrap_form(request: Request, limits: Limits) -> bytes:
    """The JSON inside ``data`` (one record) or ``data_list`` (an array).

    Raises:
        TooLarge: on the wire, or unpacked.
        Malformed: ``empty_body``, ``checksum_wrong``, ``base64_broken``, ``compression_broken``,
            ``encryption_unsupported``, ``form_broken``.
    """
    form = request.query if request.method == "GET" else _form(plain_body(request, limits))
    text = form.get("data_list") or form.get("data") or ""
    if not text.strip():
        raise Malformed("neither data nor data_list", code="empty_body", path="data")
    if len(text) > limits.wire:
        raise TooLarge(f"more than {limits.wire} bytes")
    _check(text, form.get("ext", ""))
    if text.lstrip()[:1] in ("{", "["):
        return text.encode()
    data = unbase64(text)
    if form.get("gzip") == "9":
        raise Malformed("encrypted records are not supported", code="encryption_unsupported")
    return inflate(data, limits.unpacked) if data[:2] == GZIP_MAGIC else data


def _form(body: bytes) -> Mapping[str, str]:
    """The form, whatever content type the sender gave it (``text/plain`` from a beacon)."""
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=FIELDS)
    except (UnicodeDecodeError, ValueError) as error:
        raise Malformed("the body is not a form", code="form_broken") from error
    return dict(reversed(pairs))


def _check(text: str, ext: str) -> None:
    """Compare ``ext=crc=<n>`` with the text, where it is given."""
    name, _, value = ext.partition("=")
    if name != "crc" or not value:
        return
    if value != str(java_hash(text.replace(" ", "+"))):
        raise Malformed("the checksum does not fit the data", code="checksum_wrong", path="ext")


def java_hash(text: str) -> int:
    """``String.hashCode`` of Java, a signed 32-bit number.

    >>> java_hash("carloop"), java_hash("")
    (554187896, 0)
    """
    codes = np.frombuffer(text.encode("utf-16-le"), dtype="<u2").astype(np.uint32)
    powers = np.full(len(codes), 31, dtype=np.uint32)
    powers[:1] = 1
    np.multiply.accumulate(powers, out=powers)
    total = int(np.sum(codes[::-1] * powers, dtype=np.uint32))
    return total - 2**32 if total >= 2**31 else total
