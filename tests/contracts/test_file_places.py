"""Files wherever they lie: a folder here, a bucket, an SFTP server; each row once."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pyarrow.fs
import pytest

from carloop.connectors.feeds.files import Files
from carloop.core.feeds import Allowed, Cursor, FeedRecord
from carloop.kit.errors import InvalidInput, Retryable
from tests.support.brokers import Proxy
from tests.support.far_files import ACCESS, REGION, SECRET, a_bucket, a_drop

HERE = ("127.0.0.1",)
Write = Callable[[str, bytes], None]


class Served:
    """A place with files: ``write`` puts one there."""

    def __init__(self, settings: dict[str, Any], allowed: Allowed, write: Write) -> None:
        self.settings = settings | {"settle_seconds": 0}
        self.allowed, self.write = allowed, write

    def feed(self, **other: Any) -> Files:
        return Files.open(self.settings | other, self.allowed)

    def read(
        self, cursor: Cursor | None = None, pages: int = 0, **other: Any
    ) -> tuple[list[FeedRecord], Cursor | None]:
        """All records after a cursor, or those of the first pages."""
        records: list[FeedRecord] = []
        with closing(self.feed(**other)) as feed:
            for number, page in enumerate(feed.pages(cursor, lambda: False), start=1):
                records += page.records
                cursor = cursor if page.cursor is None else page.cursor
                if number == pages:
                    break
        return records, cursor


def _writer(folder: Path) -> Write:
    """Files with times of their own, for servers that tell whole seconds."""
    at = [time.time() - 100_000.0]

    def write(name: str, body: bytes) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(body)
        at[0] += 10
        os.utime(folder / name, (at[0], at[0]))

    return write


@contextmanager
def local(folder: Path) -> Iterator[Served]:
    settings = {"place": "local", "folder": str(folder)}
    yield Served(settings, Allowed((), (str(folder),)), _writer(folder))


@contextmanager
def bucket(folder: Path) -> Iterator[Served]:
    with a_bucket() as served:
        settings = served.settings | {"folder": "in"}

        def write(name: str, body: bytes) -> None:
            served.objects[f"in/{name}"] = body

        yield Served(settings, Allowed(HERE), write)


@contextmanager
def drop(folder: Path) -> Iterator[Served]:
    with a_drop(folder) as served:
        yield Served(served.settings, Allowed(HERE), _writer(served.folder))


@pytest.fixture(params=[local, bucket, drop], ids=["local", "s3", "sftp"])
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Served]:
    with request.param(tmp_path / "place" if request.param is drop else tmp_path) as served:
        yield served


def orders(*numbers: int) -> bytes:
    return b"order,mobile\n" + b"".join(b"%d,139%08d\n" % (n, n) for n in numbers)


def told(records: list[FeedRecord]) -> list[tuple[str, str]]:
    return [(record.key, record.version) for record in records]


def test_new_files_are_read_once_and_a_replaced_one_again_with_the_same_names(
    served: Served,
) -> None:
    served.write("orders_1.csv", orders(1, 2))
    served.write("deep/orders_2.csv", orders(3))
    served.write("notes.md", b"not asked for")
    served.write(".hidden.csv", orders(9))
    first, cursor = served.read(glob="**/*.csv")
    assert len(first) == 3
    assert served.read(cursor, glob="**/*.csv")[0] == []
    served.write("orders_1.csv", orders(1, 7, 2))
    second, cursor = served.read(cursor, glob="**/*.csv")
    assert len(second) == 3
    assert len(set(told(second)) - set(told(first))) == 1, "the row in the middle alone is new"
    served.write("orders_3.csv", orders(5))
    assert len(served.read(cursor, glob="**/*.csv")[0]) == 1


def test_a_key_names_a_row_in_whatever_file_it_comes(served: Served) -> None:
    served.write("monday.csv", orders(1, 2))
    served.write("tuesday.csv", orders(2, 3))
    records, _ = served.read(key=["order"])
    assert len(records) == 4
    assert len(set(told(records))) == 3
    with closing(served.feed(key=["order"])) as feed:
        assert feed.count() == 3


def test_reading_goes_on_in_the_middle_of_a_file(served: Served) -> None:
    served.write("a.csv", orders(*range(6_000)))
    served.write("b.csv", orders(1))
    first, cursor = served.read(pages=1)
    assert len(first) == 5_000
    rest, cursor = served.read(cursor)
    assert len(rest) == 1_001
    whole, _ = served.read()
    assert told(first) + told(rest) == told(whole)
    assert served.read(cursor)[0] == []


def test_a_file_replaced_while_it_is_half_read_is_read_as_it_is_now(served: Served) -> None:
    served.write("a.csv", orders(*range(6_000)))
    _, cursor = served.read(pages=1)
    served.write("a.csv", orders(*range(100_000, 100_003)))
    rest, _ = served.read(cursor)
    assert [b'"order":"100000"' in record.body for record in rest] == [True, False, False]


def test_a_log_is_continued_and_its_rotation_counts_nothing_twice(served: Served) -> None:
    pattern = r"^(?P<time>\S+) (?P<vin>[A-Z0-9]+) (?P<km>\d+)$"
    settings: dict[str, Any] = {"format": "log", "line_pattern": pattern, "glob": "car.log*"}
    served.write("car.log", b"2026-06-01T08:00:00Z LSV1 10\nbroken\n2026-06-01T08:01:00Z LS")
    first, cursor = served.read(**settings)
    assert [record.code for record in first] == ["", "line_unmatched"]
    assert first[1].key == "car.log#2"
    lines = b"2026-06-01T08:00:00Z LSV1 10\nbroken\n2026-06-01T08:01:00Z LSV1 11\n"
    served.write("car.log", lines)
    second, cursor = served.read(cursor, **settings)
    assert [b'"km":"11"' in record.body for record in second] == [True]
    served.write("car.log.1", lines)
    served.write("car.log", b"2026-06-02T08:00:00Z LSV1 12\n")
    third, _ = served.read(cursor, **settings)
    fresh = [r for r in third if not r.code and (r.key, r.version) not in told([*first, *second])]
    assert len(fresh) == 1
    assert b'"km":"12"' in fresh[0].body
    assert len(served.read(**settings, unmatched="skip")[0]) == 3


def test_what_cannot_be_read_is_kept_with_its_place_and_holds_nobody_up(served: Served) -> None:
    served.write("a.csv", b"order,mobile\n1,139\n2\n3,138\n")
    served.write("b.xlsx", b"no workbook")
    served.write("c.parquet", b"nothing of the kind")
    served.write("d.csv", b"")
    served.write("e.csv", orders(8))
    records, cursor = served.read()
    bad = {record.key: record.code for record in records if record.code}
    assert bad == {
        "a.csv#2": "column_count", "b.xlsx": "file_broken", "c.parquet": "file_broken",
        "d.csv": "file_empty",
    }  # fmt: skip
    assert len(records) == 7
    assert served.read(cursor)[0] == []


def test_columns_are_those_of_the_newest_file(served: Served) -> None:
    served.write("a.csv", b"order,mobile\n1,139\n")
    served.write("b.csv", b"order,tel\n1,139\n")
    with closing(served.feed(glob="[ab].csv")) as feed:
        assert [column.name for column in feed.columns()] == ["order", "tel"]
        probe = feed.probe()
    assert len(probe.sample) == 2
    assert probe.notes == ()


def test_nothing_there_is_said(served: Served) -> None:
    with closing(served.feed(glob="*.csv")) as feed:
        assert feed.probe().notes in (("no_files",),)
        assert [page.records for page in feed.pages(None, lambda: False)] == [[]]


def test_a_file_that_is_being_written_waits(tmp_path: Path) -> None:
    with local(tmp_path) as served:
        (tmp_path / "now.csv").write_bytes(orders(1))
        assert served.read(settle_seconds=60)[0] == []
        assert len(served.read(settle_seconds=0)[0]) == 1


def test_only_allowed_folders_are_read_and_links_lead_nowhere_else(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    outside.mkdir()
    (outside / "secret.csv").write_bytes(orders(1))
    (inside / "link.csv").symlink_to(outside / "secret.csv")
    (inside / "folder").symlink_to(outside)
    os.mkfifo(inside / "pipe.csv")
    allowed = Allowed((), (str(inside),))
    for folder in (outside, inside / "..", inside / "folder", Path("/etc")):
        with pytest.raises(InvalidInput) as caught:
            Files.open({"place": "local", "folder": str(folder)}, allowed)
        assert (caught.value.code, caught.value.path) == ("path_forbidden", "folder")
    feed = Files.open({"place": "local", "folder": str(inside), "glob": "**"}, allowed)
    assert [page.records for page in feed.pages(None, lambda: False)] == [[]]
    with pytest.raises(InvalidInput) as caught:
        Files.open({"place": "local", "folder": str(inside), "glob": "../*"}, allowed)
    assert caught.value.path == "glob"


def test_the_signatures_are_those_of_the_aws_client() -> None:
    """What the server of these tests checks, the AWS SDK within pyarrow satisfies too."""
    with a_bucket() as bucket:
        bucket.objects["in/订单 +1&2.csv"] = orders(1, 2)
        client = pyarrow.fs.S3FileSystem(
            access_key=ACCESS, secret_key=SECRET, region=REGION, scheme="http",
            endpoint_override=f"127.0.0.1:{bucket.port}",
        )  # fmt: skip
        with client.open_input_file("dealer/in/订单 +1&2.csv") as file:
            assert file.read() == orders(1, 2)
        feed = Files.open(bucket.settings | {"folder": "in"}, Allowed(HERE))
        (page,) = feed.pages(None, lambda: False)
        assert len(page.records) == 2


def _refused(settings: dict[str, Any], hosts: tuple[str, ...] = HERE) -> tuple[str, str | None]:
    feed = Files.open(settings, Allowed(hosts))
    try:
        with pytest.raises(InvalidInput) as caught:
            feed.probe()
    finally:
        feed.close()
    assert "s3cret" not in str(caught.value)
    return caught.value.code, caught.value.path


def test_a_bucket_that_refuses_is_told() -> None:
    with a_bucket() as bucket:
        told = bucket.settings
        assert _refused(told | {"secret_access_key": "s3cret-wrong"})[0] == "credentials_refused"
        assert _refused(told | {"access_key_id": "nobody"})[0] == "credentials_refused"
        assert _refused(told | {"bucket": "other"}) == ("bucket_unknown", "bucket")
        assert _refused(told, ()) == ("address_forbidden", "endpoint")
        bucket.objects["a.csv"] = orders(1)
        bucket.busy = 2
        feed = Files.open(told, Allowed(HERE))
        assert sum(len(page.records) for page in feed.pages(None, lambda: False)) == 1


def test_an_object_replaced_while_it_is_read_is_left_for_the_next_time() -> None:
    with a_bucket() as bucket:
        bucket.objects["a.csv"] = orders(*range(250_000))
        feed = Files.open(bucket.settings, Allowed(HERE))
        pages = feed.pages(None, lambda: False)
        cursor = next(pages).cursor
        bucket.objects["a.csv"] = orders(1)
        *_, last = pages
        assert last.cursor is not None
        assert last.cursor["done"] == {}
        (page,) = feed.pages(cursor, lambda: False)
        assert len(page.records) == 1


def test_an_sftp_server_is_known_before_anything_secret_is_said(tmp_path: Path) -> None:
    with a_drop(tmp_path / "drop") as drop:
        told = drop.settings
        unknown = {name: value for name, value in told.items() if name != "host_key"}
        assert _refused(unknown) == ("host_key_missing", "host_key")
        assert _refused(told | {"host_key": "SHA256:" + "A" * 43}) == ("host_key_wrong", "host_key")
        assert _refused(told | {"password": "s3cret-wrong"}) == ("credentials_refused", "password")
        assert _refused(told | {"folder": "/none"}) == ("folder_unknown", "folder")
        assert _refused(told, ()) == ("address_forbidden", "host")
        (drop.folder / "a.csv").write_bytes(orders(1))
        by_key = {**told, "private_key": drop.client_key, "settle_seconds": 0}
        del by_key["password"]
        with closing(Files.open(by_key, Allowed(HERE))) as feed:
            assert len(feed.probe().sample) == 1
        with pytest.raises(InvalidInput) as caught:
            Files.open(told | {"private_key": "nonsense"}, Allowed(HERE))
        assert caught.value.path == "private_key"


def test_a_server_that_stops_answering_is_told_in_time(tmp_path: Path) -> None:
    with a_drop(tmp_path / "drop") as drop:
        proxy = Proxy(drop.port)
        try:
            told = drop.settings | {"port": proxy.port, "timeout_seconds": 1}
            with closing(Files.open(told, Allowed(HERE))) as feed:
                feed.probe()
                proxy.hold()
                began = time.monotonic()
                with pytest.raises(Retryable) as caught:
                    feed.probe()
                assert caught.value.code == "timed_out"
                assert time.monotonic() - began < 10
                proxy.release()
                proxy.cut()
                with pytest.raises(Retryable) as caught:
                    feed.probe()
                assert caught.value.code in ("source_gone", "timed_out")
        finally:
            proxy.close()


def test_a_bucket_that_fails_in_the_middle_of_a_run_keeps_what_was_read() -> None:
    with a_bucket() as bucket:
        for number in range(4):
            bucket.objects[f"{number}.csv"] = orders(number)
        bucket.failing = "2.csv"
        with closing(Files.open(bucket.settings, Allowed(HERE))) as feed:
            pages = feed.pages(None, lambda: False)
            first = next(pages)
            with pytest.raises(Retryable) as caught:
                next(pages)
            assert caught.value.code == "source_failing"
            bucket.failing = ""
            rest = [r for page in feed.pages(first.cursor, lambda: False) for r in page.records]
        assert (len(first.records), len(rest)) == (2, 2)
