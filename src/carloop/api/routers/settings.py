"""Settings of the tenant: name, time zone, how long events stay."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field, StringConstraints

from carloop.api.deps import Use, require, signed_in
from carloop.api.etags import IfMatch, etag, version_of
from carloop.api.parameters import Name
from carloop.app.operation.retention import EVENT_DAYS
from carloop.app.tenant_settings import MOST_DAYS, version_of_settings
from carloop.core.ports.tenants import Tenant
from carloop.core.scope import Caller, Permission
from carloop.kit.errors import InvalidInput

router = APIRouter(tags=["settings"])

Zone = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_+/-]+$")]


class TenantSettingsOut(BaseModel):
    """The tenant: `zone` is an IANA name; `event_days` null keeps events for ever."""

    name: str
    zone: str
    event_days: int | None


class TenantSettingsPatch(BaseModel):
    """What to change; what is absent stays.

    `event_days`: events that occurred longer ago are removed for good, once a day; null: never.
    """

    name: Name | None = None
    zone: Zone | None = None
    event_days: Annotated[int, Field(ge=1, le=MOST_DAYS)] | None = None


@router.get("/api/settings", operation_id="get_settings")
def get_settings(
    caller: Annotated[Caller, signed_in()], response: Response, use: Use
) -> TenantSettingsOut:
    """The tenant's settings, with the ETag to change them by."""
    return _tagged(use.tenant_settings.of(caller.scope.tenant), response)


@router.patch("/api/settings", operation_id="update_settings")
def update_settings(
    body: TenantSettingsPatch,
    caller: Annotated[Caller, require(Permission.SYSTEM_MANAGE)],
    response: Response,
    use: Use,
    if_match: IfMatch = None,
) -> TenantSettingsOut:
    """Change the tenant's settings; calendar windows follow the new zone at once."""
    wanted = body.model_dump(include=body.model_fields_set)
    for name in ("name", "zone"):
        if name in wanted and wanted[name] is None:
            raise InvalidInput(f"{name} cannot be empty", code="invalid_input", path=name)
    return _tagged(use.tenant_settings.change(caller, version_of(if_match), wanted), response)


def _tagged(tenant: Tenant, response: Response) -> TenantSettingsOut:
    response.headers["ETag"] = etag(version_of_settings(tenant))
    return TenantSettingsOut(
        name=tenant.name, zone=tenant.zone, event_days=tenant.settings.get(EVENT_DAYS)
    )
