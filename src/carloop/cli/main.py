"""``carloop``: serve, keys, import, demo, doctor, backup and the rest."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from carloop.bootstrap.files import Ownership
from carloop.bootstrap.settings import Settings
from carloop.cli import audit, keys, sources, users
from carloop.cli import backup as backups
from carloop.cli.connect import Data
from carloop.cli.demo import check_size
from carloop.cli.demo import demo as load_demo
from carloop.cli.doctor import doctor
from carloop.cli.import_ import import_file
from carloop.cli.quality import judge_file
from carloop.kit.errors import CarloopError
from carloop.kit.logging import configure
from carloop.kit.version import version

app = typer.Typer(
    name="carloop",
    help="Open-source customer data platform for car makers and dealer groups.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(keys.app, name="key")
app.add_typer(users.app, name="user")
app.add_typer(audit.app, name="audit")
app.add_typer(sources.app, name="source")
app.command("demo")(load_demo)
app.command("import")(import_file)
app.command("quality")(judge_file)
app.command("doctor")(doctor)
app.command("backup")(backups.backup)
app.command("restore")(backups.restore)
app.command("verify")(backups.verify)


@app.command("serve")
def serve(
    data: Data = None,
    port: Annotated[int | None, typer.Option(help="Where to listen; 8000 unless told.")] = None,
    host: Annotated[str | None, typer.Option(help="127.0.0.1 unless told.")] = None,
    demo: Annotated[
        str | None,
        typer.Option(help="s, m or l: load a demo beside serving, where nothing is loaded yet."),
    ] = None,
) -> None:
    """Start carloop; everything it keeps lies under the data directory."""
    from carloop.bootstrap.supervisor import supervise

    settings = Settings.from_env(data=data, port=port, host=host)
    then: list[str] = []
    if demo is not None:
        then = [sys.executable, "-m", "carloop", "demo", "--once", "--data", str(settings.data)]
        then += ["--size", check_size(demo)]
    raise typer.Exit(supervise(settings, then))


@app.command("migrate")
def migrate(data: Data = None) -> None:
    """Bring the stores up to date without serving; serve does it too."""
    from carloop.bootstrap.stores import open_stores

    settings = Settings.from_env(data=data)
    ownership = Ownership(settings.lock_file)
    try:
        open_stores(settings).close()
    finally:
        ownership.release()
    typer.echo("the stores are up to date")


@app.command("version")
def show_version() -> None:
    """Print the version."""
    typer.echo(version())


def main() -> None:
    """Entry point: an expected error is one line on stderr and exit code 1."""
    os.umask(0o077)
    configure("error")
    try:
        app()
    except CarloopError as error:
        _fail(f"{error.message} ({error.code})", 1)
    except OSError as error:
        _fail(f"{error.strerror}: {error.filename}", 1)


def _fail(line: str, code: int) -> None:
    typer.echo(f"carloop: {line}", err=True)
    sys.exit(code)
