"""``carloop``: serve, keys, import, demo, doctor, backup and the rest."""

from __future__ import annotations

import sys

import typer

from carloop.kit.errors import CarloopError
from carloop.kit.version import version

app = typer.Typer(
    name="carloop",
    help="Open-source customer data platform for car makers and dealer groups.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


@app.command("version")
def show_version() -> None:
    """Print the version."""
    typer.echo(version())


def main() -> None:
    """Entry point: expected errors are one line on stderr and exit code 1."""
    try:
        app()
    except CarloopError as error:
        typer.echo(f"carloop: {error.message} ({error.code})", err=True)
        sys.exit(1)
