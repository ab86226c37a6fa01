"""The online resolver: same persons as the pure function, for any order, repeats and batches."""

from __future__ import annotations

import contextlib
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from carloop.app.identity import NOBODY, IdentityResolver
from carloop.core.evidence import Evidence
from carloop.core.identifiers import Identifier, RawIdentifier
from carloop.core.registry import Catalogue
from carloop.stores.state.store import SqlState
from carloop.stores.vault.cipher import VaultCipher

CATALOGUE = Catalogue.of()


class Undo(Exception):
    """Rolls a transaction back."""


def ident(type: str, value: str, namespace: str = "") -> Identifier:
    return CATALOGUE.identifiers.normalise(RawIdentifier(type, value, namespace))


def seen(at: int, *identifiers: Identifier, **more: object) -> Evidence:
    return Evidence(tuple(identifiers), at, f"m{at}", **more)  # type: ignore[arg-type]


def persons(state: SqlState, tenant: int, cipher: VaultCipher) -> set[frozenset[tuple[str, str]]]:
    """Clusters of (type, value or key)."""
    with state.read() as tx:
        clusters: dict[int, set[tuple[str, str]]] = {}
        for f in tx.identity.by_numbers(tenant, range(1, 2000)):
            clusters.setdefault(f.person, set()).add((f.type, f.value or f.key.hex()))
    return {frozenset(c) for c in clusters.values()}


A, B = ident("login_id", "alice"), ident("login_id", "bob")
PHONE = ident("mobile", "13912345679")
COOKIES = [ident("anonymous_id", f"cookie-{n}") for n in range(30)]


@pytest.fixture
def resolver(cipher: VaultCipher) -> IdentityResolver:
    return IdentityResolver(CATALOGUE, cipher)


def test_a_visitor_becomes_a_customer_and_the_history_follows(
    state: SqlState, tenant: int, resolver: IdentityResolver
) -> None:
    with state.write() as tx:
        before = resolver.resolve(tx, tenant, [seen(1, COOKIES[0]), seen(2, COOKIES[0])])
        after = resolver.resolve(tx, tenant, [seen(3, COOKIES[0], A), seen(4, A)])
    assert before == [(1, 1), (1, 1)]
    assert after == [(2, 1), (2, 1)]
    with state.read() as tx:
        assert {f.number: f.person for f in tx.identity.by_numbers(tenant, [1, 2])} == {1: 1, 2: 1}


def test_two_known_persons_merge_with_evidence_in_the_log(
    state: SqlState, tenant: int, resolver: IdentityResolver
) -> None:
    with state.write() as tx:
        resolver.resolve(tx, tenant, [seen(1, A), seen(2, PHONE)])
        (filed,) = resolver.resolve(tx, tenant, [seen(3, A, PHONE)])
        assert filed == (1, 1)
        (entry,) = tx.identity.log_of(tenant, [1])
    assert (entry.kind, entry.kept, entry.moved) == ("merge", 1, 2)
    assert entry.evidence == [{"a": 1, "b": 2, "at": 3, "kind": "evidence", "source": 0}]


def test_identifying_values_are_sealed_and_others_plain(
    state: SqlState, tenant: int, resolver: IdentityResolver
) -> None:
    with state.write() as tx:
        resolver.resolve(tx, tenant, [seen(1, A, PHONE)])
        by_type = {f.type: f for f in tx.identity.by_numbers(tenant, [1, 2])}
    assert by_type["login_id"].value == "alice"
    assert by_type["mobile"].value is None
    assert b"139" not in (by_type["mobile"].sealed or b"139")


def test_fm08_a_swapped_login_on_one_browser_never_joins_two_accounts(
    state: SqlState, tenant: int, resolver: IdentityResolver
) -> None:
    with state.write() as tx:
        filed = resolver.resolve(
            tx, tenant, [seen(1, A, COOKIES[0]), seen(2, B, COOKIES[0]), seen(3, COOKIES[0])]
        )
    assert filed[0].person == filed[2].person != filed[1].person


def test_fm07_a_showroom_tablet_links_nobody(
    state: SqlState, tenant: int, resolver: IdentityResolver, cipher: VaultCipher
) -> None:
    logins = [ident("login_id", f"visitor-{n}") for n in range(8)]
    with state.write() as tx:
        for at, login in enumerate(logins):
            resolver.resolve(tx, tenant, [seen(at, login, COOKIES[0])])
        (tablet,) = [f for f in tx.identity.by_numbers(tenant, range(1, 30)) if f.hub]
    assert tablet.value == "cookie-0"
    assert all(len(cluster) == 1 for cluster in persons(state, tenant, cipher))


def test_fm01_a_staff_phone_does_not_glue_its_customers(
    state: SqlState, tenant: int, resolver: IdentityResolver, cipher: VaultCipher
) -> None:
    openids = [ident("openid", f"oCustomer{n}", "wx1") for n in range(10)]
    with state.write() as tx:
        filed = resolver.resolve(tx, tenant, [seen(n, o, PHONE) for n, o in enumerate(openids)])
        filed = resolver.resolve(tx, tenant, [seen(99, o) for o in openids])
    assert len({f.person for f in filed}) == 10


def test_fm02_a_family_phone_keeps_two_accounts_apart(
    state: SqlState, tenant: int, resolver: IdentityResolver
) -> None:
    with state.write() as tx:
        filed = resolver.resolve(tx, tenant, [seen(1, A, PHONE), seen(2, B, PHONE)])
    assert filed[0].person != filed[1].person


def test_fm11_a_unionid_that_comes_late_joins_what_the_openids_began(
    state: SqlState, tenant: int, resolver: IdentityResolver
) -> None:
    one, two = ident("openid", "oOne00x", "wx1"), ident("openid", "oTwo00x", "wx2")
    union = ident("unionid", "uSame00")
    with state.write() as tx:
        first = resolver.resolve(tx, tenant, [seen(1, one), seen(2, two)])
        resolver.resolve(tx, tenant, [seen(3, one, union), seen(4, two, union)])
        last = resolver.resolve(tx, tenant, [seen(5, one), seen(6, two)])
    assert first[0].person != first[1].person
    assert last[0].person == last[1].person == 1


def test_the_same_openid_in_two_apps_is_two_identifiers(
    state: SqlState, tenant: int, resolver: IdentityResolver
) -> None:
    with state.write() as tx:
        filed = resolver.resolve(
            tx,
            tenant,
            [seen(1, ident("openid", "oSame", "wx1")), seen(2, ident("openid", "oSame", "wx2"))],
        )
    assert filed[0].fragment != filed[1].fragment


def test_unbind_splits_and_bind_joins_again(
    state: SqlState, tenant: int, resolver: IdentityResolver
) -> None:
    with state.write() as tx:
        resolver.resolve(tx, tenant, [seen(1, A, PHONE)])
        resolver.resolve(tx, tenant, [seen(5, A, PHONE, unbind=True)])
        split = resolver.resolve(tx, tenant, [seen(6, A, PHONE), seen(7, PHONE)])
        resolver.resolve(tx, tenant, [seen(9, A, PHONE, bind=True)])
        again = resolver.resolve(tx, tenant, [seen(10, PHONE)])
    assert split[0].person != split[1].person
    assert again[0].person == split[0].person


def test_a_rolled_back_batch_leaves_nothing_behind(
    state: SqlState, tenant: int, resolver: IdentityResolver
) -> None:
    with contextlib.suppress(Undo), state.write() as tx:
        resolver.resolve(tx, tenant, [seen(1, A, PHONE)])
        raise Undo
    resolver.reset()
    with state.write() as tx:
        assert resolver.resolve(tx, tenant, [seen(1, PHONE, A)]) == [(2, 1)]
        assert len(tx.identity.by_numbers(tenant, range(9))) == 2


def test_erased_identifiers_do_not_come_back_with_old_events(
    state: SqlState, tenant: int, resolver: IdentityResolver, cipher: VaultCipher
) -> None:
    key = cipher.identifier_key(tenant, A)
    with state.write() as tx:
        tx.identity.remember_erased(tenant, [key], 100)
        assert resolver.resolve(tx, tenant, [seen(99, A)]) == [NOBODY]
        assert resolver.resolve(tx, tenant, [seen(50, A, COOKIES[0])]) == [(1, 1)]
        assert resolver.resolve(tx, tenant, [seen(101, A)]) == [(2, 2)]
        assert resolver.resolve(tx, tenant, [seen(60, A)]) == [NOBODY]


def test_r7_a_super_node_is_frozen_and_its_neighbours_stored(
    state: SqlState, tenant: int, resolver: IdentityResolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("carloop.app.components.MAX_COMPONENT", 20)
    devices = [ident("oaid", f"{n:016d}a") for n in range(60)]
    with state.write() as tx:
        for at, device in enumerate(devices):
            (filed,) = resolver.resolve(tx, tenant, [seen(at, PHONE, device)])
            assert filed.fragment
        edges = tx.identity.edges_of(tenant, [filed.fragment])
    reasons = {v.reason for v in edges}
    assert reasons == {"", "component_too_large"}


def test_ten_thousand_cookies_of_one_login_stay_cheap(
    sqlite_state: SqlState, tenant: int, resolver: IdentityResolver
) -> None:
    cookies = [ident("anonymous_id", f"c-{n}") for n in range(3000)]
    with sqlite_state.write() as tx:
        resolver.resolve(tx, tenant, [seen(0, A)])
        filed = resolver.resolve(tx, tenant, [seen(1 + n, c, A) for n, c in enumerate(cookies)])
        assert {f.person for f in filed} == {1}
        assert len(tx.identity.of_persons(tenant, [1])) == 3001


POOL = [A, B, PHONE, ident("mobile", "13600001234"), ident("openid", "oAbc1", "wx"), *COOKIES[:3]]
events = st.lists(
    st.tuples(
        st.sets(st.sampled_from(POOL), min_size=1, max_size=3),
        st.integers(0, 4),
        st.sampled_from(["", "", "", "bind", "unbind"]),
    ),
    min_size=1,
    max_size=12,
)


@given(events, st.randoms(use_true_random=False))
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_order_any_repeats_any_batches(
    sqlite_state: SqlState,
    cipher: VaultCipher,
    drawn: list[tuple[set[Identifier], int, str]],
    random: Random,
) -> None:
    log = [
        seen(at, *sorted(ids), bind=how == "bind", unbind=how == "unbind") for ids, at, how in drawn
    ]
    log = [
        Evidence(e.identifiers, e.occurred_at, f"m{n}", 0, e.bind, e.unbind)
        for n, e in enumerate(log)
    ]
    shuffled = random.sample(log, len(log)) + random.choices(log, k=3)
    assert outcome(sqlite_state, cipher, log, random) == outcome(
        sqlite_state, cipher, shuffled, random
    )


def outcome(
    state: SqlState, cipher: VaultCipher, log: list[Evidence], random: Random
) -> set[frozenset[tuple[str, str]]]:
    """Clusters after ``log`` in random batches, with the cache lost now and then; rolled back."""
    resolver = IdentityResolver(CATALOGUE, cipher)
    found: dict[int, set[tuple[str, str]]] = {}
    with contextlib.suppress(Undo), state.write() as tx:
        while log:
            size = random.randint(1, 5)
            resolver.resolve(tx, 1, log[:size])
            log = log[size:]
            if random.random() < 0.3:
                resolver.reset()
        for f in tx.identity.by_numbers(1, range(1, 50)):
            found.setdefault(f.person, set()).add((f.type, f.key.hex()))
        raise Undo
    return {frozenset(c) for c in found.values()}
