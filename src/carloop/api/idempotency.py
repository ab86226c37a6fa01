"""``Idempotency-Key``: a POST that is repeated is answered again, not done again."""

from __future__ import annotations

import hashlib
import hmac
import os

from anyio.to_thread import run_sync
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from carloop.api.auditing import DISCLOSES, beside, is_recorded
from carloop.api.errors import from_error
from carloop.core.ports.idempotency import Answer
from carloop.core.ports.state import State
from carloop.kit.clock import Clock, to_ms
from carloop.kit.errors import Conflict, InvalidInput

KEPT_MS = 24 * 3_600_000
HEADER = "idempotency-key"
REPLAYED = "Idempotent-Replayed"
MAX_KEY_LENGTH = 200


class Idempotency:
    """Keeps answers of changing POSTs for a day, sealed under a key that needs the client's own.

    Args:
        secret: 32 bytes; with the client's key it makes the key each answer is sealed with.
    """

    def __init__(self, app: ASGIApp, state: State, clock: Clock, secret: bytes) -> None:
        self._app = app
        self._state = state
        self._clock = clock
        self._secret = secret

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        key = Headers(scope=scope).get(HEADER) if scope["type"] == "http" else None
        caller = scope.get("carloop.caller")
        if key is None or caller is None or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        if not 1 <= len(key) <= MAX_KEY_LENGTH or "carloop.body" not in scope:
            error = InvalidInput("the Idempotency-Key cannot be used here", path=HEADER)
            await from_error(error)(scope, receive, send)
            return
        name = f"{caller.scope.tenant}|{caller.id}|{scope['path']}|{key}".encode()
        slot = hmac.new(self._secret, b"slot|" + name, hashlib.sha256).digest()
        seal = AESGCM(hmac.new(self._secret, b"seal|" + name, hashlib.sha256).digest())
        body = hashlib.sha256(scope["query_string"] + b"|" + scope["carloop.body"]).digest()
        kept = await run_sync(self._claim, slot, body)
        if kept is not None:
            await _replay(kept, body, seal)(scope, receive, send)
            return
        await self._run(scope, receive, send, slot, body, seal)

    async def _run(
        self, scope: Scope, receive: Receive, send: Send, slot: bytes, body: bytes, seal: AESGCM
    ) -> None:
        start: Message = {}
        parts: list[bytes] = []
        kept = False

        async def collect(message: Message) -> None:
            nonlocal start, kept
            if message["type"] == "http.response.start":
                start = message
                return
            parts.append(message.get("body", b""))
            if message.get("more_body", False):
                return
            if _is_kept(scope, start["status"]):
                answer = self._sealed(start, b"".join(parts), body, seal)
                with beside():
                    await run_sync(self._finish, slot, answer)
                kept = True
            await send(start)
            await send({"type": "http.response.body", "body": b"".join(parts)})

        try:
            await self._app(scope, receive, collect)
        finally:
            if not kept:
                with beside():
                    await run_sync(self._release, slot)

    def _claim(self, slot: bytes, body: bytes) -> Answer | None:
        now = to_ms(self._clock.now())
        with self._state.write() as tx:
            tx.idempotency.expire(now - KEPT_MS)
            return tx.idempotency.claim(slot, body, now)

    def _finish(self, slot: bytes, answer: Answer) -> None:
        with self._state.write() as tx:
            tx.idempotency.finish(slot, answer)

    def _release(self, slot: bytes) -> None:
        with self._state.write() as tx:
            tx.idempotency.release(slot)

    def _sealed(self, start: Message, content: bytes, body: bytes, seal: AESGCM) -> Answer:
        nonce = os.urandom(12)
        media_type = Headers(raw=start["headers"]).get("content-type", "")
        sealed = nonce + seal.encrypt(nonce, content, body)
        return Answer(body, to_ms(self._clock.now()), start["status"], media_type, sealed)


def _is_kept(scope: Scope, status: int) -> bool:
    permission = scope.get("carloop.permission")
    done = status < 400 or status in (404, 409, 422)
    return done and is_recorded("POST", permission) and permission not in DISCLOSES


def _replay(kept: Answer, body: bytes, seal: AESGCM) -> Response:
    if kept.body_hash != body:
        error = Conflict("this key was used for another request", code="idempotency_mismatch")
        return from_error(error)
    if kept.status == 0:
        error = Conflict(
            "the first request with this key is still being worked on",
            code="idempotency_in_progress",
            retry_after_seconds=1,
        )
        return from_error(error)
    content = seal.decrypt(kept.answer[:12], kept.answer[12:], body)
    headers = {REPLAYED: "true"}
    if kept.media_type:
        headers["content-type"] = kept.media_type
    return Response(content, kept.status, headers)
