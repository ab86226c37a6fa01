"""How commands reach carloop: over the running server's socket, or by opening the stores.

The stores are imported where they are opened: commands start fast, and ``serve`` stays small.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import httpx
import typer

from carloop.bootstrap.files import is_owned
from carloop.bootstrap.settings import Settings
from carloop.kit.errors import CarloopError, Unavailable

if TYPE_CHECKING:
    from carloop.bootstrap.engine import Engine

Data = Annotated[
    Path | None, typer.Option("--data", help="Directory that holds everything.", metavar="DIR")
]
TIMEOUT_SECONDS = 60.0
STARTING_SECONDS = 30.0


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
        if engine is None:
            _wait_for_server(settings)
        self._token = settings.local_token_file.read_text("ascii")

    def call(
        self, method: str, path: str, body: Any = None, query: Mapping[str, Any] | None = None
    ) -> Any:
        """The decoded answer; None where it is empty.

        Raises:
            Refused: with the problem's code and message.
            Unavailable: ``engine_down``: the server does not answer.
        """
        answer = asyncio.run(self._send(method, path, json=body, params=query))
        return answer.json() if answer.content else None

    def upload(self, path: str, file: Path, fields: Mapping[str, str]) -> Any:
        """The decoded answer to a form with a file; raises as :meth:`call` does."""
        with file.open("rb") as content:
            files = {"file": (file.name, content)}
            return asyncio.run(self._send("POST", path, data=dict(fields), files=files)).json()

    def download(self, path: str) -> bytes:
        """The bytes of an answer; raises as :meth:`call` does."""
        return asyncio.run(self._send("GET", path)).content

    async def _send(self, method: str, path: str, **request: Any) -> httpx.Response:
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
                answer = await client.request(method, path, **request)
            except httpx.TransportError as error:
                raise Unavailable("the server does not answer", code="engine_down") from error
        if answer.is_error:
            problem = answer.json()
            raise Refused(problem["message"], code=problem["code"])
        return answer


def _wait_for_server(settings: Settings) -> None:
    """Wait while the server is starting.

    Raises:
        Unavailable: ``engine_down``: it did not come up in time.
    """
    ends = time.monotonic() + STARTING_SECONDS
    transport = httpx.HTTPTransport(uds=str(settings.engine_socket))
    with httpx.Client(transport=transport, base_url="http://carloop") as client:
        while time.monotonic() < ends:
            try:
                client.get("/livez")
            except httpx.TransportError:
                time.sleep(0.2)
            else:
                return
    raise Unavailable("the server does not answer", code="engine_down")


@contextmanager
def connect(data: Path | None, **overrides: Any) -> Iterator[Api]:
    """The API of a data directory: the running server's, or one opened for this command."""
    settings = Settings.from_env(data=data, **overrides)
    if is_owned(settings.lock_file):
        yield Api(settings, None)
        return
    from carloop.bootstrap.engine import build_engine

    engine = build_engine(settings)
    try:
        yield Api(settings, engine)
    finally:
        engine.close()
