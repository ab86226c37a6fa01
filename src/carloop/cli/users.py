"""``carloop user``: make a user, or give one a new password."""

from __future__ import annotations

from typing import Annotated

import typer

from carloop.cli.connect import Data, connect
from carloop.core.scope import Role
from carloop.kit.errors import InvalidInput, NotFound

app = typer.Typer(help="Users who sign in.", no_args_is_help=True)


@app.command("create")
def create(
    username: str,
    role: Annotated[list[Role], typer.Option(help="A role; repeatable.")],
    data: Data = None,
    limit: Annotated[
        list[str] | None, typer.Option(help="DIMENSION=KEY, for a limited role; repeatable.")
    ] = None,
) -> None:
    """Make a user and print the first password, to be changed at sign-in."""
    dims: dict[str, list[str]] = {}
    for text in limit or []:
        dimension, equals, key = text.partition("=")
        if not equals:
            raise InvalidInput("--limit is DIMENSION=KEY")
        dims.setdefault(dimension, []).append(key)
    body = {"username": username, "roles": [r.value for r in role], "dims": dims}
    with connect(data) as api:
        typer.echo(api.call("POST", "/api/users", body)["password"])


@app.command("reset-password")
def reset_password(username: str, data: Data = None) -> None:
    """Print a new password for a user; its sessions end."""
    with connect(data) as api:
        for user in api.call("GET", "/api/users")["items"]:
            if user["username"].casefold() == username.casefold():
                path = f"/api/users/{user['id']}"
                typer.echo(api.call("PATCH", path, {"reset_password": True})["password"])
                return
        raise NotFound(f"no user called {username!r}")
