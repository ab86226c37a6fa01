"""How commands reach carloop: over the running server's socket, or by opening the stores."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from carloop.bootstrap.engine import Engine, build_engine
from carloop.bootstrap.files import is_owned
from carloop.bootstrap.settings import Settings
from carloop.kit.errors import CarloopError, Unavailable

Data = Annotated[
    Path | None, typer.Option("--data", help="Directory that holds everything.", metavar="DIR")
]
TIMEOUT_SECONDS = 60.0


class Refused(CarloopError):
    """The API refused a command."""

    default_code = "refused"


class Api:
    """The management API with every permission, whoever serves it.

    Attributes:
        engine: the engine in this process; None where a server is running.
    """

    def __init__(self, settings: Settings, engine: Engine | None) -> None:
        self.settings = settings
        self.engine = engine
        self._app = engine.app() if engine else None
        self._token = settings.local_token_file.read_text("ascii")

    def call(
        self, method: str, path: str, body: Any = None, query: Mapping[str, Any] | None = None
    ) -> Any:
        """The decoded answer; None where it is empty.

        Raises:
            Refused: with the problem's code and message.
            Unavailable: ``engine_down``: the server does not answer.
        """
        return asyncio.run(self._call(method, path, body, query))

    async def _call(
        self, method: str, path: str, body: Any, query: Mapping[str, Any] | None
    ) -> Any:
        transport: httpx.AsyncBaseTransport = (
            httpx.ASGITransport(self._app)
            if self._app
            else httpx.AsyncHTTPTransport(uds=str(self.settings.engine_socket))
        )
        async with httpx.AsyncClient(
            transport=transport,
            base_url="http://carloop",
            headers={"Authorization": f"Bearer {self._token}"},
            timeout=TIMEOUT_SECONDS,
        ) as client:
            try:
                answer = await client.request(method, path, json=body, params=query)
            except httpx.TransportError as error:
                raise Unavailable("the server does not answer", code="engine_down") from error
        if answer.is_error:
            problem = answer.json()
            raise Refused(problem["message"], code=problem["code"])
        return answer.json() if answer.content else None


@contextmanager
def connect(data: Path | None, **overrides: Any) -> Iterator[Api]:
    """The API of a data directory: the running server's, or one opened for this command."""
    settings = Settings.from_env(data=data, **overrides)
    if is_owned(settings.lock_file):
        yield Api(settings, None)
        return
    engine = build_engine(settings)
    try:
        yield Api(settings, engine)
    finally:
        engine.close()
