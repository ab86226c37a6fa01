"""Reading XML from strangers: no document type, no entities, bounded depth and size."""

from __future__ import annotations

from io import BytesIO
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from carloop.connectors.json_guard import BadEvent
from carloop.core.events import Limits
from carloop.kit.errors import Malformed


def parse_xml(data: bytes, limits: Limits) -> Element:
    """The root element, with names free of their namespaces.

    Raises:
        Malformed: ``xml_broken``; ``xml_forbidden``: a document type or an entity.
        BadEvent: ``too_deep``, ``too_many_keys``.
    """
    depth = elements = 0
    root: Element | None = None
    try:
        for event, element in iterparse(
            BytesIO(data), events=("start", "end"), forbid_dtd=True, forbid_entities=True
        ):
            if event == "end":
                depth -= 1
                continue
            root = element if root is None else root
            element.tag = element.tag.rpartition("}")[2]
            depth += 1
            elements += 1
            if depth > limits.depth:
                raise BadEvent("too_deep")
            if elements > limits.keys * 20:
                raise BadEvent("too_many_keys")
    except DefusedXmlException as error:
        raise Malformed("document types and entities are refused", code="xml_forbidden") from error
    except (ParseError, ValueError, LookupError) as error:
        raise Malformed("the body is not valid XML", code="xml_broken") from error
    if root is None:
        raise Malformed("the body is not valid XML", code="xml_broken")
    return root


def text_of(element: Element | None, path: str = "") -> str:
    """The text of an element or of one below it; empty where there is none.

    >>> from xml.etree.ElementTree import fromstring
    >>> text_of(fromstring("<a><b> c </b></a>"), "b")
    'c'
    """
    found = element if not path or element is None else element.find(path)
    return "" if found is None else "".join(found.itertext()).strip()
