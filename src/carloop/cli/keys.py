"""``carloop key``: write keys of sources, and API tokens."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from carloop.cli.connect import Api, Data, connect
from carloop.core.scope import Role
from carloop.core.sources import SourceKind
from carloop.kit.errors import NotFound

app = typer.Typer(help="Write keys and API tokens.", no_args_is_help=True)


@app.command("create")
def create(
    name: Annotated[str, typer.Argument(help="Source of a write key, or name of a token.")],
    data: Data = None,
    admin: Annotated[bool, typer.Option("--admin", help="An API token instead.")] = False,
    role: Annotated[Role, typer.Option(help="Role of the API token.")] = Role.ADMIN,
    source_kind: Annotated[
        SourceKind, typer.Option(help="Kind of the source, where it is new.")
    ] = SourceKind.SERVER,
    origin: Annotated[
        list[str] | None, typer.Option(help="Browser origin that may use it; repeatable.")
    ] = None,
) -> None:
    """Print a fresh write key alone (the source is made where it is new), or an API token."""
    with connect(data) as api:
        if admin:
            body = {"name": name, "roles": [role.value]}
            typer.echo(api.call("POST", "/api/keys", body)["token"])
            return
        source = ensure_source(api, name, source_kind)
        body = {"name": "default", "origins": origin or []}
        made = api.call("POST", f"/api/sources/{source['id']}/keys", body)
        typer.echo(made["write_key"])


@app.command("list")
def show(data: Data = None) -> None:
    """Show write keys by source, then API tokens."""
    with connect(data) as api:
        for source in api.call("GET", "/api/sources")["items"]:
            for key in source["keys"]:
                typer.echo(f"{key['id']}  write  {source['name']}  {key['name']}  …{key['hint']}")
        for key in api.call("GET", "/api/keys")["items"]:
            if key["revoked_at"] is None:
                roles = ",".join(key["roles"])
                typer.echo(f"{key['id']}  token  {key['name']}  {roles}  …{key['hint']}")


@app.command("revoke")
def revoke(
    id: Annotated[str, typer.Argument(help="As `carloop key list` shows it.")],
    data: Data = None,
    after_hours: Annotated[int, typer.Option(help="Overlap for a write key.", min=0)] = 0,
) -> None:
    """Make a key stop working."""
    with connect(data) as api:
        for source in api.call("GET", "/api/sources")["items"]:
            if any(key["id"] == id for key in source["keys"]):
                path = f"/api/sources/{source['id']}/keys/{id}"
                api.call("DELETE", path, query={"after_hours": after_hours})
                return
        if not any(key["id"] == id for key in api.call("GET", "/api/keys")["items"]):
            raise NotFound(f"no key {id}")
        api.call("DELETE", f"/api/keys/{id}")


def ensure_source(
    api: Api, name: str, kind: SourceKind, *, historical: bool = False
) -> dict[str, Any]:
    """The source of that name, created where there is none."""
    for source in api.call("GET", "/api/sources")["items"]:
        if source["name"] == name:
            return dict(source)
    body = {"name": name, "kind": kind.value, "historical": historical}
    return dict(api.call("POST", "/api/sources", body))
