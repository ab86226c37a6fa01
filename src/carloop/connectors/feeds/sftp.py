"""Folders behind SSH (SFTP): the address judged first, the server known by its key."""

from __future__ import annotations

import io
import logging
import socket
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO

import paramiko

from carloop.connectors.feeds.broker import guarded
from carloop.connectors.feeds.file_places import (
    MOST_LISTED,
    Entry,
    FileGone,
    Pieces,
    fits,
    levels_below,
    too_many,
)
from carloop.core.feeds import Allowed
from carloop.kit.errors import CarloopError, InvalidInput, Retryable
from carloop.kit.settings import Reader

logging.getLogger("paramiko").setLevel(logging.CRITICAL + 1)
"""It may quote addresses; runs tell their end in our own codes."""

LONGEST_KEY = 20_000
_REQUEST = 32 * 1024
"""What every server answers in one piece."""


class SftpPlace:
    """A folder of a server; one connection for all that is read.

    Raises:
        InvalidInput: a setting is missing or wrong.
    """

    def __init__(self, settings: Mapping[str, Any], allowed: Allowed, seconds: int) -> None:
        read = Reader(settings)
        self._host = read.text("host", limit=253)
        self._port = read.integer("port", 22, 1, 65535)
        self._username = read.text("username", limit=256)
        self._password = read.text("password", "")
        self._host_key = read.text("host_key", "", 200).strip()
        self._folder = read.text("folder", ".", 1000).rstrip("/") or "/"
        self._key = _private_key(settings.get("private_key", ""), self._password)
        self._allowed, self._seconds = allowed, seconds
        self._transport: paramiko.Transport | None = None
        self._client: paramiko.SFTPClient | None = None

    def entries(self, pattern: str) -> Iterator[Entry]:
        """Regular files, and links to them; links to folders are not followed."""
        waiting, listed, deepest = [""], 0, levels_below(pattern)
        with self._failing():
            client = self._connected()
            while waiting:
                below = waiting.pop()
                for found in self._listed(client, below):
                    listed += 1
                    if listed > MOST_LISTED:
                        raise too_many()
                    name = below + found.filename
                    mode = found.st_mode or 0
                    if stat.S_ISDIR(mode):
                        if name.count("/") < deepest:
                            waiting.append(name + "/")
                    elif fits(name, pattern):
                        entry = self._entry(client, name, found)
                        if entry is not None:
                            yield entry

    def open(self, entry: Entry) -> BinaryIO:
        """A file; read in pieces whose requests are under way together."""
        with self._failing():
            try:
                file = self._connected().open(f"{self._folder}/{entry.name}", "rb")
            except FileNotFoundError as error:
                raise FileGone from error
            except PermissionError as error:
                raise InvalidInput("no right to read this", code="permission_missing") from error
        return _Remote(self, entry, file).buffered()

    def unchanged(self, entry: Entry) -> bool:
        """By size and time, to the second."""
        with self._failing():
            try:
                found = self._connected().stat(f"{self._folder}/{entry.name}")
            except FileNotFoundError:
                return False
        return _stamp(found) == entry.stamp

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()
            self._transport.join(5)
            self._transport = self._client = None

    @contextmanager
    def _failing(self) -> Iterator[None]:
        try:
            yield
        except CarloopError:
            raise
        except paramiko.AuthenticationException as error:
            raise InvalidInput(
                "the server refuses these credentials",
                code="credentials_refused",
                path="private_key" if self._key else "password",
            ) from error
        except TimeoutError as error:
            raise Retryable("the server does not answer in time", code="timed_out") from error
        except (paramiko.SSHException, EOFError, OSError) as error:
            code = "unreachable" if self._client is None else "source_gone"
            raise Retryable("the server cannot be reached", code=code) from error

    def _connected(self) -> paramiko.SFTPClient:
        if self._client is not None:
            return self._client
        address = guarded(self._host, self._port, self._allowed)
        line = socket.create_connection((address, self._port), min(self._seconds, 10))
        transport = self._transport = paramiko.Transport(line)
        transport.banner_timeout = transport.handshake_timeout = min(self._seconds, 15)
        transport.auth_timeout = min(self._seconds, 30)
        transport.start_client(timeout=min(self._seconds, 15))
        self._check(transport.get_remote_server_key())
        if self._key is not None:
            transport.auth_publickey(self._username, self._key)
        else:
            transport.auth_password(self._username, self._password)
        client = paramiko.SFTPClient.from_transport(transport)
        if client is None:
            raise paramiko.SSHException
        channel = client.get_channel()
        if channel is not None:
            channel.settimeout(self._seconds)
        self._client = client
        return client

    def _check(self, key: Any) -> None:
        """Before anything secret is said."""
        found = str(key.fingerprint)
        if not self._host_key:
            raise InvalidInput(
                f"the server's key is {found}; set it as host_key once you know that it is right",
                code="host_key_missing",
                path="host_key",
            )
        if self._host_key.rstrip("=") != found.rstrip("="):
            raise InvalidInput(
                "the server shows another key than the one set",
                code="host_key_wrong",
                path="host_key",
            )

    def _listed(self, client: paramiko.SFTPClient, below: str) -> Iterator[Any]:
        try:
            yield from client.listdir_iter(f"{self._folder}/{below}")
        except FileNotFoundError as error:
            if not below:
                raise InvalidInput(
                    "no such folder", code="folder_unknown", path="folder"
                ) from error
        except PermissionError as error:
            raise InvalidInput(
                "no right to list this", code="permission_missing", path="folder"
            ) from error

    def _entry(self, client: paramiko.SFTPClient, name: str, found: Any) -> Entry | None:
        if stat.S_ISLNK(found.st_mode or 0):
            try:
                found = client.stat(f"{self._folder}/{name}")
            except (FileNotFoundError, PermissionError):
                return None
        if not stat.S_ISREG(found.st_mode or 0):
            return None
        return Entry(name, found.st_size or 0, float(found.st_mtime or 0), _stamp(found))


class _Remote(Pieces):
    def __init__(self, place: SftpPlace, entry: Entry, file: paramiko.SFTPFile) -> None:
        super().__init__(entry.size)
        self._place, self._file = place, file

    def fetch(self, offset: int, size: int) -> bytes:
        """In requests of 32 KiB that do not wait for each other."""
        chunks = [(at, min(_REQUEST, offset + size - at))
                  for at in range(offset, offset + size, _REQUEST)]  # fmt: skip
        with self._place._failing():
            return b"".join(self._file.readv(chunks))

    def close(self) -> None:
        """The file, not the line."""
        if not self.closed:
            with suppress(paramiko.SSHException, EOFError, OSError):
                self._file.close()
        super().close()


def _stamp(found: Any) -> str:
    return f"{found.st_size}:{found.st_mtime}"


def _private_key(text: Any, passphrase: str) -> Any:
    if not isinstance(text, str) or len(text) > LONGEST_KEY:
        raise _bad_key()
    if not text.strip():
        return None
    for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
        try:
            return kind.from_private_key(io.StringIO(text.strip() + "\n"), passphrase or None)
        except Exception:  # whatever a parser of keys may raise
            continue
    raise _bad_key()


def _bad_key() -> InvalidInput:
    return InvalidInput(
        "no private key in PEM, or another passphrase (password)",
        code="setting_invalid",
        path="private_key",
    )
