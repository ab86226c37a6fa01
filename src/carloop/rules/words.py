"""Rules in words, Chinese and English; the pieces that several kinds share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from carloop.rules.comparison import Comparison, Days, Value

if TYPE_CHECKING:
    from carloop.rules import Rule
    from carloop.rules.kinds.performed import Count

_ZH = {
    "=": "等于", "!=": "不等于", "in": "属于", "not_in": "不属于", "contains": "包含",
    "not_contains": "不包含", "starts_with": "开头是", "ends_with": "结尾是", "exists": "有值",
    "not_exists": "没有值", "<": "小于", "<=": "不大于", ">": "大于", ">=": "不小于",
    "between": "介于", "before": "早于", "after": "晚于", "in_last": "在最近", "in_next": "在未来",
    "not_in_last": "不在最近", "anniversary_in_next": "的周年日在未来",
}  # fmt: skip
_EN = {
    "=": "is", "!=": "is not", "in": "is one of", "not_in": "is none of", "contains": "contains",
    "not_contains": "does not contain", "starts_with": "starts with", "ends_with": "ends with",
    "exists": "is known", "not_exists": "is not known", "<": "is below", "<=": "is at most",
    ">": "is above", ">=": "is at least", "between": "is between", "before": "is before",
    "after": "is after", "in_last": "is in the last", "in_next": "is in the next",
    "not_in_last": "is not in the last", "anniversary_in_next": "has its anniversary in the next",
}  # fmt: skip
_ZH_COUNT = {">=": "至少", ">": "多于", "=": "恰好", "!=": "不是", "<": "少于", "<=": "至多"}
_EN_COUNT = {
    ">=": "at least", ">": "more than", "=": "exactly", "!=": "not", "<": "fewer than",
    "<=": "at most",
}  # fmt: skip


class Names(Protocol):
    """Display names of what rules refer to."""

    def event(self, name: str, lang: str) -> str:
        """Title of an event type."""
        ...

    def property(self, event: str, name: str, lang: str) -> str:
        """Title of an event property."""
        ...

    def field(self, name: str, lang: str) -> str:
        """Title of a profile field."""
        ...

    def segment(self, id_: str, lang: str) -> str:
        """Name of a segment."""
        ...


class PlainNames:
    """Keys as their own titles."""

    def event(self, name: str, lang: str) -> str:
        """The name itself."""
        return name

    def property(self, event: str, name: str, lang: str) -> str:
        """The name itself."""
        return name

    def field(self, name: str, lang: str) -> str:
        """The name itself."""
        return name

    def segment(self, id_: str, lang: str) -> str:
        """The id itself."""
        return id_


def comparison_words(lang: str, subject: str, comparison: Comparison) -> str:
    """One comparison.

    >>> comparison_words("en", "Level", Comparison("in", ("A", "B")))
    'Level is one of A, B'
    """
    words = (_ZH if lang == "zh" else _EN)[comparison.op]
    value = _value_words(lang, comparison.op, comparison.value)
    return f"{subject}{'' if lang == 'zh' else ' '}{words}{value and ' ' + value}"


def count_words(lang: str, events: str, window: str, count: Count, where: Sequence[str]) -> str:
    """One behaviour: when, what, how often, with which properties."""
    if lang == "zh":
        unit = f" 个不同的 {count.distinct}" if count.distinct else " 次"
        filters = f"（{'，'.join(where)}）" if where else ""
        often = "" if _once(count) else f"{_ZH_COUNT[count.op]} {count.n}{unit}"
        return f"{window}{'' if often else '做过'}「{events}」{filters}{often}"
    filters = f" ({', '.join(where)})" if where else ""
    unit = f"different {count.distinct}" if count.distinct else "times"
    often = "" if _once(count) else f" {_EN_COUNT[count.op]} {count.n} {unit}"
    return f'did "{events}"{filters}{often}{window and " " + window}'


def joined(lang: str, titles: Sequence[str]) -> str:
    """Alternatives: ``A or B``."""
    return (" / " if lang == "zh" else " or ").join(titles)


def grouped(lang: str, rules: Sequence[Rule], word: str, names: Names) -> str:
    """Rules in words, joined by a word; only a part that is joined itself gets parentheses."""
    if len(rules) == 1:
        return rules[0].sentence(lang, names)
    left, right = "（）" if lang == "zh" else "()"
    parts = ((rule.sentence(lang, names), _is_joined(rule)) for rule in rules)
    return word.join(f"{left}{part}{right}" if inner else part for part, inner in parts)


def _is_joined(rule: Rule) -> bool:
    if rule.kind not in ("all", "any"):
        return False
    return len(rule.rules) > 1 or _is_joined(rule.rules[0])


def _once(count: Count) -> bool:
    return count.op == ">=" and count.n == 1 and count.distinct is None


def _value_words(lang: str, op: str, value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, Days):
        unit = "天" if lang == "zh" else "days" if value.days != 1 else "day"
        return f"{value.days} {unit}{'内' if lang == 'zh' else ''}"
    if not isinstance(value, tuple):
        return str(value)
    if op == "between":
        return f"{value[0]} {'与' if lang == 'zh' else 'and'} {value[1]}{'之间' * (lang == 'zh')}"
    return "、".join(map(str, value)) if lang == "zh" else ", ".join(map(str, value))
