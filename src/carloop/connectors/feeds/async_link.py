"""Asyncio clients run in a thread of their own, on a loop that guards every address."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import CancelledError
from typing import Any, TypeVar

from carloop.connectors.feeds.broker import guarded
from carloop.core.feeds import Allowed
from carloop.kit.errors import Retryable

T = TypeVar("T")

SPARE_SECONDS = 10.0


class GuardedLoop(asyncio.SelectorEventLoop):
    """Connects only to addresses that may be reached, those a cluster names by itself included."""

    def __init__(self, allowed: Allowed) -> None:
        super().__init__()
        self._allowed = allowed

    async def create_connection(  # type: ignore[override]
        self, factory: Any, host: Any = None, port: Any = None, **kw: Any
    ) -> Any:
        """As ever, after judging the address; the certificate is checked for the name."""
        if host is None:
            return await super().create_connection(factory, host, port, **kw)
        address = await self.run_in_executor(None, guarded, host, int(port), self._allowed)
        if kw.get("ssl") and not kw.get("server_hostname"):
            kw["server_hostname"] = host
        return await super().create_connection(factory, address, port, **kw)


class LoopThread:
    """Runs coroutines for a thread that waits for them."""

    def __init__(self, name: str, allowed: Allowed) -> None:
        self._loop = GuardedLoop(allowed)
        self._loop.set_exception_handler(lambda loop, context: None)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def call(self, work: Coroutine[Any, Any, T], seconds: float) -> T:
        """The result of ``work``, or what it raises.

        Raises:
            Retryable: ``timed_out``.
        """
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(seconds + SPARE_SECONDS)
        except TimeoutError as error:
            future.cancel()
            raise Retryable("the broker does not answer in time", code="timed_out") from error
        except CancelledError as error:
            raise Retryable("the broker hung up", code="source_gone") from error

    def close(self) -> None:
        """End what still runs, then the thread."""
        asyncio.run_coroutine_threadsafe(_end_others(), self._loop).result(SPARE_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(SPARE_SECONDS)
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()


async def _end_others() -> None:
    rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)
