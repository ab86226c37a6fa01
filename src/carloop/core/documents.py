"""Documents that people write (rules, funnels, mappings), refused in our words."""

from __future__ import annotations

from pydantic import ValidationError

from carloop.kit.errors import InvalidInput


def refused(error: ValidationError, code: str, *under: str) -> InvalidInput:
    """The first fault that pydantic found, with its path below ``under``; no value of the document.

    >>> from pydantic import TypeAdapter
    >>> try:
    ...     TypeAdapter(dict[str, list[int]]).validate_python({"days": [1, "soon"]})
    ... except ValidationError as error:
    ...     fault = refused(error, "policy_invalid", "policy")
    >>> fault.code, fault.path
    ('policy_invalid', 'policy.days.1')
    """
    first = error.errors(include_input=False, include_url=False)[0]
    path = ".".join([*under, *map(str, first["loc"])])
    return InvalidInput(first["msg"], code=code, path=path)
