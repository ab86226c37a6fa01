"""The brokers that feeds read, each with an empty place of its own for one test.

Real servers on their standard ports. Kafka is not among the machine's services: its peer is the
cluster that librdkafka brings along for tests, which speaks the protocol over sockets.
"""

from __future__ import annotations

import asyncio
import select
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import nats
import paho.mqtt.client as paho
import pika
import redis
from confluent_kafka import Producer
from paho.mqtt.enums import CallbackAPIVersion

from carloop.connectors.feeds import FEED_KINDS
from carloop.core.feeds import Allowed
from tests.support.databases import absent
from tests.support.server import free_port
from tests.support.waiting import PATIENCE_SECONDS, until

HERE = Allowed(("127.0.0.1",))
BROKERS = ("mqtt", "mqtt311", "rabbitmq", "nats", "redis_streams", "kafka")


@dataclass
class Served:
    """A broker to be read: ``publish`` sends messages; ``settings`` lead a feed there."""

    kind: str
    settings: dict[str, Any]
    publish: Callable[[Sequence[bytes]], None]


def _there(name: str, port: int) -> None:
    try:
        socket.create_connection(("127.0.0.1", port), 3).close()
    except OSError:
        absent(name)


@contextmanager
def broker(name: str) -> Iterator[Served]:
    """One of :data:`BROKERS`."""
    places = {
        "mqtt": lambda: mqtt("5"), "mqtt311": lambda: mqtt("3.1.1"), "rabbitmq": rabbitmq,
        "nats": jetstream, "redis_streams": redis_streams, "kafka": kafka,
    }  # fmt: skip
    with places[name]() as served:
        yield served


@contextmanager
def mqtt(version: str = "5", port: int = 1883, **login: str) -> Iterator[Served]:
    """Topics of mosquitto that a session already waits for."""
    _there("An MQTT broker", port)
    root, client = f"cars{uuid4().hex[:12]}", paho.Client(CallbackAPIVersion.VERSION2)
    if login:
        client.username_pw_set(login["username"], login["password"])
    client.max_queued_messages_set(0)
    client.connect("127.0.0.1", port)
    client.loop_start()
    settings = {
        "host": "127.0.0.1", "port": port, "encryption": "disable", "client_id": root,
        "topics": [f"{root}/+/telemetry"], "version": version, **login,
    }  # fmt: skip
    sent = 0

    def publish(bodies: Sequence[bytes]) -> None:
        nonlocal sent
        ways = []
        for body in bodies:
            sent += 1
            ways.append(client.publish(f"{root}/car{sent % 7}/telemetry", body, 1))
        for way in ways:
            way.wait_for_publish(PATIENCE_SECONDS)

    feed = FEED_KINDS["mqtt"].open(settings, HERE)
    next(iter(feed.pages(None, lambda: False)))
    feed.close()
    try:
        yield Served("mqtt", settings, publish)
    finally:
        client.disconnect()
        client.loop_stop()
        _forget(root, port, login)


def _forget(client_id: str, port: int, login: Mapping[str, str]) -> None:
    """End the session that the broker keeps for a feed."""
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=True)
    if login:
        client.username_pw_set(login["username"], login["password"])
    client.connect("127.0.0.1", port)
    client.loop_start()
    until(client.is_connected, "the broker does not answer", every=0.01)
    client.disconnect()
    client.loop_stop()


@contextmanager
def speaking() -> Iterator[paho.Client]:
    """A client that publishes to mosquitto."""
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1")
    client.loop_start()
    try:
        yield client
    finally:
        client.disconnect()
        client.loop_stop()


@contextmanager
def rabbitmq() -> Iterator[Served]:
    """A durable queue."""
    _there("RabbitMQ", 5672)
    queue, lock = f"feed_{uuid4().hex[:12]}", threading.Lock()
    settings = {
        "host": "127.0.0.1", "encryption": "disable", "queue": queue,
        "username": "guest", "password": "guest",
    }  # fmt: skip

    def with_channel(work: Callable[[Any], None]) -> None:
        with lock, pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1")) as connection:
            work(connection.channel())

    def publish(bodies: Sequence[bytes]) -> None:
        def work(channel: Any) -> None:
            channel.confirm_delivery()
            for body in bodies:
                named = pika.BasicProperties(message_id=str(uuid4()), delivery_mode=2)
                channel.basic_publish("", queue, body, named)

        with_channel(work)

    with_channel(lambda channel: channel.queue_declare(queue, durable=True))
    try:
        yield Served("rabbitmq", settings, publish)
    finally:
        with_channel(lambda channel: channel.queue_delete(queue))


@contextmanager
def jetstream(port: int = 4222) -> Iterator[Served]:
    """A stream of NATS."""
    _there("NATS", port)
    stream = f"feed_{uuid4().hex[:12]}"
    settings = {"host": "127.0.0.1", "port": port, "encryption": "disable", "stream": stream}
    settings["ack_seconds"] = 2

    def with_stream(work: Callable[[Any], Any]) -> None:
        async def run() -> None:
            client = await nats.connect(f"nats://127.0.0.1:{port}")
            await work(client.jetstream())
            await client.close()

        asyncio.run(run())

    def publish(bodies: Sequence[bytes]) -> None:
        async def work(js: Any) -> None:
            for number, body in enumerate(bodies):
                await js.publish(f"{stream}.car{number % 7}", body)

        with_stream(work)

    with_stream(lambda js: js.add_stream(name=stream, subjects=[f"{stream}.>"]))
    try:
        yield Served("nats", settings, publish)
    finally:
        with_stream(lambda js: js.delete_stream(stream))


@contextmanager
def redis_streams() -> Iterator[Served]:
    """A stream of Redis."""
    _there("Redis", 6379)
    stream = f"feed_{uuid4().hex[:12]}"
    settings = {"host": "127.0.0.1", "encryption": "disable", "stream": stream, "field": "data"}
    with redis.Redis() as client:

        def publish(bodies: Sequence[bytes]) -> None:
            for body in bodies:
                client.xadd(stream, {"data": body})

        client.xgroup_create(stream, "carloop", "0", mkstream=True)
        try:
            yield Served("redis_streams", settings, publish)
        finally:
            client.delete(stream)


@contextmanager
def kafka() -> Iterator[Served]:
    """A topic of librdkafka's own cluster: three brokers, four partitions."""
    producer = Producer(
        {"test.mock.num.brokers": 3, "bootstrap.servers": "none", "log_level": 0, "linger.ms": 1}
    )
    first = next(iter(producer.list_topics(timeout=PATIENCE_SECONDS).brokers.values()))
    topic = f"feed_{uuid4().hex[:12]}"
    producer.list_topics(topic, timeout=PATIENCE_SECONDS)
    settings = {"host": first.host, "port": first.port, "encryption": "disable", "topic": topic}

    def publish(bodies: Sequence[bytes]) -> None:
        for number, body in enumerate(bodies):
            producer.produce(topic, body, key=f"car{number % 7}")
        assert producer.flush(PATIENCE_SECONDS) == 0

    yield Served("kafka", settings, publish)
    producer.flush(1)


class Proxy:
    """Stands between a feed and its broker; the line can be held, and cut."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        self._held = threading.Event()
        self._closed = False
        self._lines: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def hold(self) -> None:
        """Nothing goes either way; nobody is told."""
        self._held.set()

    def release(self) -> None:
        """Let it flow again."""
        self._held.clear()

    def cut(self) -> None:
        """Break every connection; new ones are made."""
        for line in self._lines:
            try:
                line.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def close(self) -> None:
        """Stop everything."""
        self._closed = True
        self._server.close()
        self.cut()
        for thread in self._threads:
            thread.join(10)
        for line in self._lines:
            line.close()

    def _accept(self) -> None:
        while not self._closed:
            if not select.select([self._server], [], [], 0.1)[0] or self._closed:
                continue
            try:
                near, _ = self._server.accept()
                far = socket.create_connection(("127.0.0.1", self._target), 5)
            except OSError:
                return
            self._lines += [near, far]
            thread = threading.Thread(target=self._carry, args=(near, far), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _carry(self, near: socket.socket, far: socket.socket) -> None:
        other = {near: far, far: near}
        while not self._closed:
            if self._held.is_set():
                time.sleep(0.02)
                continue
            try:
                for line in select.select([near, far], [], [], 0.05)[0]:
                    data = line.recv(65_536)
                    if not data:
                        raise OSError
                    other[line].sendall(data)
            except (OSError, ValueError):
                for line in (near, far):
                    try:
                        line.shutdown(socket.SHUT_RDWR)
                    except OSError:
                        continue
                return


@contextmanager
def proxied(served: Served) -> Iterator[Proxy]:
    """The broker's settings now lead through a proxy."""
    ports = {"mqtt": 1883, "rabbitmq": 5672, "nats": 4222, "redis_streams": 6379}
    proxy = Proxy(served.settings.get("port") or ports[served.kind])
    served.settings["port"] = proxy.port
    try:
        yield proxy
    finally:
        proxy.close()


SECRET = "s3cret-of-the-broker"


@contextmanager
def guarded_broker(kind: str, directory: Path) -> Iterator[dict[str, Any]]:
    """Settings of a server of our own that asks for ``reader`` and :data:`SECRET`."""
    port = free_port()
    here = {"host": "127.0.0.1", "port": port, "encryption": "disable"}
    login = {"username": "reader", "password": SECRET}
    with ExitStack() as stack:
        if kind == "mqtt":
            passwords = directory / "passwords"
            passwords.touch(0o600)
            subprocess.run(
                ["mosquitto_passwd", "-b", str(passwords), "reader", SECRET], check=True,
                capture_output=True,
            )  # fmt: skip
            conf = directory / "mosquitto.conf"
            conf.write_text(
                f"listener {port} 127.0.0.1\nallow_anonymous false\n"
                f"password_file {passwords}\nuser root\n"
            )
            stack.enter_context(_running(port, "mosquitto", "-c", str(conf)))
            yield here | login | {"client_id": "feed", "topics": ["a/#"]}
        elif kind == "nats":
            options = ["-a", "127.0.0.1", "-p", str(port), "-js", "-sd", str(directory)]
            stack.enter_context(
                _running(port, "nats-server", *options, "--user", "reader", "--pass", SECRET)
            )
            yield here | login | {"stream": "none"}
        else:
            options = ["--port", str(port), "--save", "", "--dir", str(directory)]
            stack.enter_context(_running(port, "redis-server", *options, "--requirepass", SECRET))
            yield here | login | {"stream": "none", "username": ""}


@contextmanager
def _running(port: int, *command: str) -> Iterator[subprocess.Popen[bytes]]:
    try:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except FileNotFoundError:
        absent(command[0])
        raise

    def listens() -> bool:
        assert process.poll() is None, f"{command[0]} does not start"
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True

    try:
        until(listens, f"{command[0]} does not answer", every=0.05, despite=OSError)
        yield process
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)
