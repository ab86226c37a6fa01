"""What the columns of a file mean: a small JSON document, saved by name and used again."""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from carloop.core.documents import refused
from carloop.core.fields import FieldType

DEFAULT_NULLS = (
    *("", "select", "#null!", "#n/a", "#value!", "null", "(null)", "none", "nan", "n/a", "na"),
    *("-", "--", "\\n", "无", "暂无", "空"),
)
DEFAULT_EVENT = "record_imported"


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class IdentifierColumn(_Document):
    """Identifies a person."""

    role: Literal["identifier"] = Field("identifier", alias="as")
    type: str
    namespace: str = ""


class ProfileColumn(_Document):
    """A field of the person's profile."""

    role: Literal["profile"] = Field("profile", alias="as")
    field: str
    type: FieldType = FieldType.STRING
    format: str = ""


class PropertyColumn(_Document):
    """A property of the event."""

    role: Literal["property"] = Field("property", alias="as")
    name: str = Field(min_length=1, max_length=200)
    type: FieldType = FieldType.STRING
    format: str = ""


class EntityColumn(_Document):
    """The key of another entity: a vehicle, a dealer."""

    role: Literal["entity"] = Field("entity", alias="as")
    type: str


class TimeColumn(_Document):
    """When it happened; ``format`` as ``strptime``, or ``iso``, ``s``, ``ms``."""

    role: Literal["time"] = Field("time", alias="as")
    format: str = "iso"


class IgnoredColumn(_Document):
    """Left out."""

    role: Literal["ignore"] = Field("ignore", alias="as")


Column = Annotated[
    IdentifierColumn | ProfileColumn | PropertyColumn | EntityColumn | TimeColumn | IgnoredColumn,
    Field(discriminator="role"),
]


class When(_Document):
    """Rows that an event applies to: those whose ``column`` holds one of ``values``."""

    column: str
    values: list[str] = Field(min_length=1)


class EventOfRow(_Document):
    """One event that each row yields; ``time`` names another time column or is an instant."""

    event: str = Field(DEFAULT_EVENT, min_length=1, max_length=128)
    when: When | None = None
    time_column: str | None = None


class Mapping(_Document):
    """The meaning of every column of a file.

    Attributes:
        columns: by header; columns that are not named are left out.
        events: what each row yields, in order.
        constants: properties that every event carries.
        key: columns that together number a row for ever, so that the same row in another file is
            the same event; empty: file content and row number do.
        nulls: values that mean nothing, compared without case.
        zone: of times without offset.
        keep_unmapped: columns that nobody mapped become properties under their own names.
    """

    columns: dict[str, Column]
    events: list[EventOfRow] = Field(default_factory=lambda: [EventOfRow()], min_length=1)
    constants: dict[str, str | int | float | bool] = {}
    key: list[str] = []
    nulls: list[str] = list(DEFAULT_NULLS)
    zone: str = "Asia/Shanghai"
    keep_unmapped: bool = False

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError("not an IANA time zone") from error
        return zone

    def text(self) -> str:
        """The document as JSON."""
        left_out = None if self.keep_unmapped else {"keep_unmapped"}
        return self.model_dump_json(by_alias=True, exclude=left_out)

    def digest(self) -> str:
        """16 hex digits that change with the meaning."""
        return hashlib.sha256(self.text().encode()).hexdigest()[:16]


def parse_mapping(text: str) -> Mapping:
    """A mapping from its JSON.

    Raises:
        InvalidInput: ``mapping_invalid``, with the path of the first fault.
    """
    try:
        return Mapping.model_validate_json(text)
    except ValidationError as error:
        raise refused(error, "mapping_invalid") from error
