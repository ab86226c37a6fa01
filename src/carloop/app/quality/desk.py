"""Rules, code tables and thresholds as people keep them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

from carloop.app.audit import AuditLog
from carloop.app.quality.builtin import builtin_rules
from carloop.core.pack import Pack
from carloop.core.ports.quality import EVERY_SOURCE, EVERY_TABLE, CodeTable, StoredRule
from carloop.core.ports.state import State, Tx
from carloop.core.ports.tenants import Tenant
from carloop.core.regions import PROVINCES
from carloop.core.scope import Caller
from carloop.engines.quality import EVENT_KINDS, Dimension, document, parse_rule
from carloop.kit.clock import Clock, to_ms
from carloop.kit.errors import Conflict, InvalidInput, NotFound, PermissionDenied

SETTINGS = "quality"
MOST_RULES = 200
MOST_TABLES = 100
MOST_CODES = 20_000
DAY_SECONDS = 86_400
USUAL_PERCENT: Mapping[str, float] = {
    Dimension.TIMELINESS: 95.0,
    Dimension.COMPLETENESS: 98.0,
    Dimension.CORRECTNESS: 98.0,
    Dimension.CONSISTENCY: 95.0,
}


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What is expected: a score below its threshold is an alert.

    Attributes:
        percent: per dimension, 0 to 100.
        sla_seconds: the longest delay from an event's occurrence to its receipt.
        sources: ``sla_seconds`` of sources that differ, by number.
    """

    percent: Mapping[str, float] = field(default_factory=lambda: dict(USUAL_PERCENT))
    sla_seconds: int = DAY_SECONDS
    sources: Mapping[int, int] = field(default_factory=dict)


class QualityDesk:
    """The use cases behind the rules, code tables and thresholds of ``/api/quality``."""

    def __init__(self, state: State, clock: Clock, audit: AuditLog) -> None:
        self._state = state
        self._clock = clock
        self._audit = audit

    def install(self, tenant: int, packs: Sequence[Pack]) -> int:
        """Add built-in rules that were never here; returns how many."""
        now = to_ms(self._clock.now())
        rules = builtin_rules(packs)
        with self._state.read() as tx:
            known = tx.quality_rules.keys(tenant)
        new = [rule for rule in rules if rule.key not in known]
        if not new:
            return 0
        with self._state.write() as tx:
            for rule in new:
                parsed = parse_rule(rule.rule)
                tx.quality_rules.add(
                    StoredRule(
                        tenant=tenant,
                        uuid=str(uuid4()),
                        key=rule.key,
                        table=_table_of(parsed, rule.table),
                        definition=_text(document(parsed)),
                        created_by="system",
                        created_at=now,
                        updated_at=now,
                    )
                )
        return len(new)

    def rules(self, caller: Caller) -> Sequence[StoredRule]:
        """All rules.

        Raises:
            PermissionDenied: ``scope_limited``.
        """
        whole(caller)
        with self._state.read() as tx:
            return tx.quality_rules.list(caller.scope.tenant)

    def rule(self, caller: Caller, uuid: str) -> StoredRule:
        """One rule.

        Raises:
            NotFound: ``quality_rule_unknown``.
        """
        whole(caller)
        with self._state.read() as tx:
            return tx.quality_rules.get(caller.scope.tenant, uuid)

    def add(
        self, caller: Caller, rule: Mapping[str, Any], *, source: int, table: str, enabled: bool
    ) -> StoredRule:
        """A new rule; audited.

        Raises:
            InvalidInput: ``quality_rule_invalid``, ``source_unknown``.
            Conflict: ``too_many_rules``.
        """
        whole(caller)
        parsed, now, uuid = parse_rule(rule), to_ms(self._clock.now()), str(uuid4())
        tenant = caller.scope.tenant
        with self._state.write() as tx:
            if len(tx.quality_rules.list(tenant)) >= MOST_RULES:
                raise Conflict(f"at most {MOST_RULES} rules", code="too_many_rules")
            _check_source(tx, tenant, source)
            added = tx.quality_rules.add(
                StoredRule(
                    tenant=tenant,
                    uuid=uuid,
                    key=uuid,
                    source=source,
                    table=_table_of(parsed, table),
                    definition=_text(document(parsed)),
                    enabled=enabled,
                    created_by=caller.id,
                    created_at=now,
                    updated_at=now,
                )
            )
            self._audit.append(
                tx, caller, "quality.rule.add", f"/api/quality/rules/{uuid}", kind=parsed.kind
            )
        return added

    def change(
        self, caller: Caller, uuid: str, version: int | None, wanted: Mapping[str, Any]
    ) -> StoredRule:
        """Change ``rule``, ``source``, ``table`` or ``enabled``; audited.

        Raises:
            InvalidInput: ``quality_rule_invalid``, ``source_unknown``.
            NotFound: ``quality_rule_unknown``.
            Conflict: ``stale``.
        """
        whole(caller)
        tenant = caller.scope.tenant
        with self._state.write() as tx:
            before = tx.quality_rules.get(tenant, uuid)
            if version is not None and version != before.revision:
                raise Conflict("the rule was changed meanwhile", code="stale")
            given = wanted.get("rule")
            parsed = parse_rule(json.loads(before.definition) if given is None else given)
            source = wanted.get("source", before.source)
            _check_source(tx, tenant, source)
            after = tx.quality_rules.save(
                replace(
                    before,
                    definition=_text(document(parsed)),
                    table=_table_of(parsed, wanted.get("table", before.table)),
                    source=source,
                    enabled=wanted.get("enabled", before.enabled),
                    updated_at=to_ms(self._clock.now()),
                )
            )
            self._audit.append(
                tx,
                caller,
                "quality.rule.change",
                f"/api/quality/rules/{uuid}",
                changed=sorted(wanted),
            )
        return after

    def remove(self, caller: Caller, uuid: str) -> None:
        """Remove a rule for good; audited.

        Raises:
            NotFound: ``quality_rule_unknown``.
        """
        whole(caller)
        with self._state.write() as tx:
            rule = tx.quality_rules.get(caller.scope.tenant, uuid)
            tx.quality_rules.remove(rule, to_ms(self._clock.now()))
            self._audit.append(tx, caller, "quality.rule.remove", f"/api/quality/rules/{uuid}")

    def code_tables(self, caller: Caller) -> Sequence[CodeTable]:
        """All code tables; ``province`` (GB/T 2260) is there from the beginning."""
        whole(caller)
        with self._state.read() as tx:
            return code_tables(tx, caller.scope.tenant)

    def code_table(self, caller: Caller, name: str) -> CodeTable:
        """One code table.

        Raises:
            NotFound: ``code_table_unknown``.
        """
        found = next((t for t in self.code_tables(caller) if t.name == name), None)
        if found is None:
            raise NotFound("no such code table", code="code_table_unknown")
        return found

    def save_code_table(self, caller: Caller, name: str, codes: Mapping[str, str]) -> CodeTable:
        """Import a code table, in place of one of the same name; audited.

        Raises:
            Conflict: ``too_many_code_tables``.
        """
        whole(caller)
        tenant, now = caller.scope.tenant, to_ms(self._clock.now())
        table = CodeTable(
            tenant=tenant, name=name, codes=codes, updated_by=caller.id, updated_at=now
        )
        with self._state.write() as tx:
            names = {t.name for t in tx.quality.code_tables(tenant)}
            if name not in names and len(names) >= MOST_TABLES:
                raise Conflict(f"at most {MOST_TABLES} code tables", code="too_many_code_tables")
            tx.quality.save_code_table(table)
            where = f"/api/quality/codes/{name}"
            self._audit.append(tx, caller, "quality.codes.save", where, codes=len(codes))
        return table

    def remove_code_table(self, caller: Caller, name: str) -> None:
        """Forget a code table that was imported; audited.

        Raises:
            NotFound: ``code_table_unknown``.
        """
        whole(caller)
        with self._state.write() as tx:
            tx.quality.remove_code_table(caller.scope.tenant, name)
            self._audit.append(tx, caller, "quality.codes.remove", f"/api/quality/codes/{name}")

    def thresholds(self, caller: Caller) -> Thresholds:
        """What is expected now."""
        whole(caller)
        with self._state.read() as tx:
            return thresholds_of(_tenant(tx, caller.scope.tenant))

    def set_thresholds(self, caller: Caller, wanted: Thresholds) -> Thresholds:
        """Say what is expected; audited. Holds from the next run.

        Raises:
            InvalidInput: ``source_unknown``.
        """
        whole(caller)
        with self._state.write() as tx:
            for source in wanted.sources:
                _check_source(tx, caller.scope.tenant, source)
            tenant = _tenant(tx, caller.scope.tenant)
            kept = {
                "percent": dict(wanted.percent),
                "sla_seconds": wanted.sla_seconds,
                "sources": {str(n): seconds for n, seconds in wanted.sources.items()},
            }
            tx.tenants.save(replace(tenant, settings={**tenant.settings, SETTINGS: kept}))
            self._audit.append(tx, caller, "quality.thresholds", "/api/quality/thresholds")
        return wanted


def whole(caller: Caller) -> None:
    """Scores are of all data: callers limited to some of it are refused.

    Raises:
        PermissionDenied: ``scope_limited``.
    """
    if caller.scope.limited:
        raise PermissionDenied("the scorecard shows everybody's data", code="scope_limited")


def code_tables(tx: Tx, tenant: int) -> list[CodeTable]:
    """Imported code tables, and the provinces of GB/T 2260 where nobody imported others."""
    found = list(tx.quality.code_tables(tenant))
    if all(table.name != "province" for table in found):
        names = {title["zh"]: code for code, title in PROVINCES.items()}
        codes = {code: title["zh"] for code, title in PROVINCES.items()} | names
        found.append(
            CodeTable(
                tenant=tenant, name="province", codes=codes, updated_by="system", updated_at=0
            )
        )
    return sorted(found, key=lambda table: table.name)


def thresholds_of(tenant: Tenant) -> Thresholds:
    """What a tenant expects."""
    kept = tenant.settings.get(SETTINGS) or {}
    return Thresholds(
        percent={**USUAL_PERCENT, **kept.get("percent", {})},
        sla_seconds=int(kept.get("sla_seconds", DAY_SECONDS)),
        sources={int(n): int(seconds) for n, seconds in kept.get("sources", {}).items()},
    )


def _tenant(tx: Tx, tenant: int) -> Tenant:
    try:
        return tx.tenants.get(tenant)
    except NotFound:
        return Tenant(tenant, "")


def _check_source(tx: Tx, tenant: int, source: int) -> None:
    if source != EVERY_SOURCE and all(s.id != source for s in tx.sources.list(tenant)):
        raise InvalidInput("no such source", code="source_unknown", path="source")


def _table_of(rule: Any, table: str) -> str:
    """The table a rule is for; rules that a query answers name it themselves."""
    return rule.table if isinstance(rule, EVENT_KINDS) else table or EVERY_TABLE


def _text(rule: Mapping[str, Any]) -> str:
    return json.dumps(rule, ensure_ascii=False, sort_keys=True)
