"""The proxy streams both ways, says who asked, and survives an engine that goes away."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from carloop.gateway.proxy import EngineProxy

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def engine(scope: Any, receive: Any, send: Any) -> None:
    """Says what it was asked; ``/stream`` answers in pieces, ``/break`` dies midway."""
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    headers = [(b"x-seen-" + k, v) for k, v in scope["headers"] if not k.startswith(b":")]
    start = {"type": "http.response.start", "status": 201, "headers": headers}
    if scope["path"] == "/break":
        headers.append((b"content-length", b"100"))
        await send(start)
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise RuntimeError("gone")
    await send(start)
    if scope["path"] == "/stream":
        for part in (b"one,", b"two,", b"three"):
            await send({"type": "http.response.body", "body": part, "more_body": True})
            await asyncio.sleep(0.01)
        await send({"type": "http.response.body", "body": b""})
        return
    said = f"{scope['method']} {scope['path']}?{scope['query_string'].decode()} ".encode() + body
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else said})


@contextlib.asynccontextmanager
async def running(socket: Path) -> AsyncIterator[uvicorn.Server]:
    config = uvicorn.Config(engine, uds=str(socket), log_config=None, lifespan="off", ws="none")
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield server
    finally:
        server.should_exit = True
        await task


@contextlib.asynccontextmanager
async def proxy_to(socket: Path) -> AsyncIterator[EngineProxy]:
    proxy = EngineProxy(socket)
    try:
        yield proxy
    finally:
        await proxy.close()
        await asyncio.sleep(0.01)


async def ask(proxy: EngineProxy, method: str, path: str, **more: Any) -> httpx.Response:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await proxy.forward(scope, receive, send)

    transport = httpx.ASGITransport(app=app, client=("10.1.2.3", 5))
    async with httpx.AsyncClient(transport=transport, base_url="http://shown.example") as client:
        return await client.request(method, path, **more)


async def test_requests_and_answers_pass_unchanged(tmp_path: Path) -> None:
    socket = tmp_path / "e.sock"
    async with running(socket), proxy_to(socket) as proxy:
        answer = await ask(
            proxy,
            "POST",
            "/api/a%2Fb?x=1&y=%20",
            content=b"body" * 50_000,
            headers={
                "x-forwarded-for": "6.6.6.6",
                "forwarded": "for=6.6.6.6",
                "connection": "x-secret",
                "x-secret": "hop",
                "x-kept": "yes",
            },
        )
        assert answer.status_code == 201
        assert answer.content.startswith(b"POST /api/a/b?x=1&y=%20 bodybody")
        assert len(answer.content) > 200_000
        assert answer.headers["x-seen-x-forwarded-for"] == "10.1.2.3"
        assert answer.headers["x-seen-x-forwarded-proto"] == "http"
        assert answer.headers["x-seen-host"] == "shown.example"
        assert answer.headers["x-seen-x-kept"] == "yes"
        assert "x-seen-x-secret" not in answer.headers
        assert "x-seen-forwarded" not in answer.headers
        assert (await ask(proxy, "GET", "/stream")).text == "one,two,three"
        assert (await ask(proxy, "HEAD", "/x")).content == b""
        many = await asyncio.gather(*(ask(proxy, "GET", f"/n{n}") for n in range(40)))
        assert [a.text for a in many] == [f"GET /n{n}? " for n in range(40)]


async def test_an_engine_that_breaks_off_is_never_taken_for_a_whole_answer(tmp_path: Path) -> None:
    socket = tmp_path / "e.sock"
    async with running(socket), proxy_to(socket) as proxy:
        with pytest.raises(ConnectionError):
            await ask(proxy, "GET", "/break")
        assert (await ask(proxy, "GET", "/after")).status_code == 201


async def test_an_engine_that_restarts_is_found_again(tmp_path: Path) -> None:
    socket = tmp_path / "e.sock"
    async with proxy_to(socket) as proxy:
        async with running(socket):
            assert (await ask(proxy, "GET", "/a")).status_code == 201
        assert (await ask(proxy, "GET", "/b")).json()["code"] == "engine_down"
        async with running(socket):
            assert (await ask(proxy, "GET", "/c")).status_code == 201
