from __future__ import annotations

import hashlib
import hmac
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carloop.core.identifiers import Identifier
from carloop.kit.errors import InvalidInput, Permanent
from carloop.stores.vault.cipher import VaultCipher
from carloop.stores.vault.files import create_once
from carloop.stores.vault.journal_keys import DayKeys
from carloop.stores.vault.keys import MasterKey, load_master_key

MASTER = MasterKey(bytes(range(32)))
CIPHER = VaultCipher(MASTER)
OTHER = VaultCipher(MasterKey(bytes(32)))
PHONE = Identifier("mobile", "", "13912345678")


def hkdf(secret: bytes, info: bytes) -> bytes:
    """RFC 5869 by hand: extract with an empty salt, one block of expand."""
    extracted = hmac.new(bytes(32), secret, hashlib.sha256).digest()
    return hmac.new(extracted, info + b"\x01", hashlib.sha256).digest()


def test_sub_keys_follow_rfc_5869() -> None:
    assert MASTER.derive("wrapping") == hkdf(bytes(range(32)), b"carloop/wrapping")


def test_an_identifier_key_is_a_keyed_hash_per_tenant() -> None:
    key = hkdf(bytes(range(32)), b"carloop/identifier key")
    data = b"\x00\x00\x00\x07mobile\x1f\x1f13912345678"
    expected = hashlib.blake2b(data, key=key, digest_size=16).digest()
    assert CIPHER.identifier_key(7, PHONE) == expected
    assert CIPHER.identifier_key(8, PHONE) != expected
    assert OTHER.identifier_key(7, PHONE) != expected


def test_a_blind_index_tells_fields_and_tenants_apart() -> None:
    indexes = {
        CIPHER.blind_index(1, "name", "x"),
        CIPHER.blind_index(2, "name", "x"),
        CIPHER.blind_index(1, "nam", "ex"),
        CIPHER.blind_index(1, "name", "y"),
        CIPHER.identifier_key(1, Identifier("name", "", "x")),
    }
    assert len(indexes) == 5
    assert CIPHER.blind_index(1, "name", "x") in indexes


@given(value=st.binary(max_size=200), aad=st.text(max_size=40))
def test_a_value_comes_back_only_with_its_key_and_context(value: bytes, aad: str) -> None:
    key, wrapped = CIPHER.new_subject_key()
    blob = CIPHER.encrypt(CIPHER.unwrap(wrapped), value, aad)
    assert CIPHER.decrypt(key, blob, aad) == value
    for wrong_key, wrong_aad in ((key, aad + "x"), (bytes(32), aad)):
        with pytest.raises(Permanent) as caught:
            CIPHER.decrypt(wrong_key, blob, wrong_aad)
        assert caught.value.code == "value_unreadable"


@given(at=st.integers(0, 10**6), bit=st.integers(0, 7))
def test_a_flipped_bit_is_noticed(at: int, bit: int) -> None:
    key, wrapped = CIPHER.new_subject_key()
    blob = bytearray(CIPHER.encrypt(key, b"13912345678", "1:mobile:5"))
    blob[at % len(blob)] ^= 1 << bit
    with pytest.raises(Permanent):
        CIPHER.decrypt(key, bytes(blob), "1:mobile:5")
    torn = bytearray(wrapped)
    torn[at % len(torn)] ^= 1 << bit
    with pytest.raises(Permanent) as caught:
        CIPHER.unwrap(bytes(torn))
    assert caught.value.code == "key_unreadable"


@pytest.mark.parametrize("blob", [b"", b"\x01", b"\x01" * 28, b"\x02" * 60])
def test_what_is_no_ciphertext_is_refused(blob: bytes) -> None:
    with pytest.raises(Permanent):
        CIPHER.decrypt(bytes(32), blob, "")
    with pytest.raises(Permanent):
        CIPHER.unwrap(blob)


def test_another_master_key_opens_nothing() -> None:
    _, wrapped = CIPHER.new_subject_key()
    with pytest.raises(Permanent) as caught:
        OTHER.unwrap(wrapped)
    assert caught.value.code == "key_unreadable"


def test_the_master_key_is_made_once_and_kept_private(tmp_path: Path) -> None:
    path = tmp_path / "secret" / "master.key"
    first = load_master_key(path)
    assert load_master_key(path) == first
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [p.name for p in path.parent.iterdir()] == ["master.key"]
    path.chmod(0o644)
    with pytest.raises(Permanent) as caught:
        load_master_key(path)
    assert caught.value.code == "master_key_exposed"


@pytest.mark.parametrize(
    "text", [bytes(range(32)).hex(), MASTER.to_text(), MASTER.to_text() + "\n"]
)
def test_the_master_key_may_come_from_outside(tmp_path: Path, text: str) -> None:
    assert load_master_key(tmp_path / "no" / "file", text) == MASTER
    assert not (tmp_path / "no").exists()


@pytest.mark.parametrize("text", ["x", "00" * 31, "zz" * 32, "AAAA", "ü" * 44])
def test_a_master_key_of_another_size_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        MasterKey.from_text(text)
    assert caught.value.code == "master_key_invalid"


def test_a_key_does_not_show_itself() -> None:
    assert "\\x01\\x02" not in repr(MASTER)
    assert len(MASTER.key_id) == 8


def test_a_day_has_one_key_that_outlives_the_process(tmp_path: Path) -> None:
    keys = DayKeys(tmp_path, CIPHER)
    assert keys.find("2026-11-22") is None
    key = keys.key("2026-11-22")
    assert len(key) == 32
    assert keys.key("2026-11-23") != key
    again = DayKeys(tmp_path, CIPHER)
    assert again.key("2026-11-22") == key == again.find("2026-11-22")
    assert key not in (tmp_path / "2026-11-22.key").read_bytes()


def test_a_day_key_fits_its_day_only(tmp_path: Path) -> None:
    DayKeys(tmp_path, CIPHER).key("2026-11-22")
    os.rename(tmp_path / "2026-11-22.key", tmp_path / "2026-11-23.key")
    with pytest.raises(Permanent):
        DayKeys(tmp_path, CIPHER).find("2026-11-23")


def test_old_days_are_destroyed_and_stay_so(tmp_path: Path) -> None:
    keys = DayKeys(tmp_path, CIPHER)
    for day in ("2026-11-20", "2026-11-21", "2026-11-22"):
        keys.key(day)
    copy = os.open(tmp_path / "2026-11-20.key", os.O_RDONLY)
    assert keys.destroy_before("2026-11-22") == 2
    assert not any(os.read(copy, 1000)), "the file was overwritten before it was removed"
    os.close(copy)
    assert keys.days() == ["2026-11-22"]
    assert keys.find("2026-11-21") is None
    assert keys.destroy_before("2026-11-22") == 0


def test_a_day_is_never_a_path(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="looks like"):
        DayKeys(tmp_path, CIPHER).key("../2026-11-22")


def test_racing_processes_agree_on_one_key(tmp_path: Path) -> None:
    seen: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: seen.append(DayKeys(tmp_path, CIPHER).key("2026-11-22")))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 8
    assert len(set(seen)) == 1
    assert create_once(tmp_path / "2026-11-22.key", b"") is False
