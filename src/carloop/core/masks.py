"""How identifying values look to those who may not see them."""

from __future__ import annotations


def mask(field: str, value: str) -> str:
    """A masked form that people can still recognise their own record by.

    >>> mask("mobile", "13800138001"), mask("name", "王小明"), mask("email", "wang@example.cn")
    ('138****8001', '王**', 'w***@example.cn')
    >>> mask("id_card", "11010519491231002X"), mask("vin", "LSVAA4182E2123456")
    ('110***********002X', 'LSV**********3456')
    """
    if field == "name":
        return value[:1] + "*" * max(1, len(value) - 1)
    if field == "email" or "@" in value:
        local, _, domain = value.partition("@")
        return f"{local[:1]}***@{domain}"
    if field == "address":
        return value[:6] + "***" if len(value) > 8 else "***"
    if len(value) <= 4:
        return "*" * len(value)
    if len(value) < 8:
        return value[:1] + "*" * (len(value) - 2) + value[-1]
    return value[:3] + "*" * (len(value) - 7) + value[-4:]
