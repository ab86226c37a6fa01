"""The facade is as strict as a ClickHouse server, so that what passes on it means something."""

from __future__ import annotations

from collections.abc import Iterator

import clickhouse_connect
import httpx
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError

from carloop.stores.clickhouse.http import HttpStore
from carloop.stores.clickhouse.store import ClickHouseStore


@pytest.fixture
def server(http_store: ClickHouseStore) -> Iterator[httpx.Client]:
    assert isinstance(http_store, HttpStore)
    with httpx.Client(base_url=f"http://127.0.0.1:{http_store.port}") as client:
        yield client


def test_it_answers_plain_http(server: httpx.Client) -> None:
    assert server.get("/ping").text == "Ok.\n"
    answer = server.post("/", content="SELECT 1 AS a, 'x\ty' AS b")
    assert (answer.text, answer.headers["X-ClickHouse-Format"]) == ("1\tx\\ty\n", "TabSeparated")
    assert server.post("/", content="SELECT 1 FORMAT JSONEachRow").json() == {"1": 1}


def test_it_refuses_several_statements(server: httpx.Client) -> None:
    answer = server.post("/", content="SELECT 1; SELECT 2")
    assert answer.status_code == 500
    assert answer.headers["X-ClickHouse-Exception-Code"] == "62"


def test_it_binds_parameters(server: httpx.Client) -> None:
    text = "SELECT {a:String}, {b:UInt8}"
    answer = server.post("/", params={"param_a": "it's", "param_b": "7"}, content=text)
    assert answer.text == "it\\'s\t7\n"


def test_settings_hold_for_one_request(server: httpx.Client) -> None:
    ask = "SELECT getSetting('max_threads')"
    usual = server.post("/", content=ask).text
    assert server.post("/", params={"max_threads": "17"}, content=ask).text == "17\n"
    assert server.post("/", content=ask).text == usual


def test_a_read_only_request_writes_nothing(server: httpx.Client) -> None:
    create = "CREATE TABLE nothing (a UInt8) ENGINE = Memory"
    for answer in (
        server.post("/", params={"readonly": "1"}, content=create),
        server.get("/", params={"query": create}),
    ):
        assert answer.headers["X-ClickHouse-Exception-Code"] == "164"


def test_an_unknown_table_has_its_code(server: httpx.Client) -> None:
    answer = server.post("/", content="SELECT * FROM nowhere")
    assert answer.headers["X-ClickHouse-Exception-Code"] == "60"


def test_rows_of_any_bytes_are_inserted(server: httpx.Client, http_store: ClickHouseStore) -> None:
    assert isinstance(http_store, HttpStore)
    client = http_store.connect({})
    client.command("CREATE TABLE raw (a String) ENGINE = Memory")
    client.raw_insert("raw", insert_block=b'{"a":"x;\'\\n"}\n{"a":"FORMAT"}', fmt="JSONEachRow")
    assert client.query("SELECT a FROM raw ORDER BY a").result_rows == [("FORMAT",), ("x;'\n",)]
    client.command("DROP TABLE raw")
    client.close()


def test_the_plain_driver_sees_errors_by_code(http_store: ClickHouseStore) -> None:
    assert isinstance(http_store, HttpStore)
    client = clickhouse_connect.get_client(host="127.0.0.1", port=http_store.port)
    with pytest.raises(DatabaseError) as caught:
        client.query("SELEC 1")
    assert caught.value.code == 62
    client.close()
