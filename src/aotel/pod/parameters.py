"""Whether a call of a configured action has the parameters that it needs, of the types that they have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from aotel.errors import AotelError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aotel.pod.config import ActionConfig

# Exact types: to Python a boolean is an integer, to who configured it it is not.
_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}
_JSON_NAMES: Final[Mapping[type, str]] = {
    str: "a string",
    int: "an integer",
    float: "a number",
    bool: "a boolean",
    list: "an array",
    dict: "an object",
    type(None): "null",
}
_MOST_BYTES = 8192
_SHOWN = 80  # characters of a name


class ParametersError(AotelError):
    """A call whose parameters are not those of its action; the message names the one that is wrong."""


def checked(action: ActionConfig, params: Mapping[str, Any]) -> str:
    """Return a call's parameters as JSON, as they are shown to the person who decides: whole, never cut.

    Args:
        action: as it is configured.
        params: what the call gives, decoded from JSON.

    Raises:
        ParametersError: one is unknown, missing or of a wrong type, or all together are too long to be read.
    """
    known = {param.name: param for param in action.params}
    for name, value in params.items():
        param = known.get(name)
        if param is None:
            expected = ", ".join(known) or "none"
            raise ParametersError(f"{action.name} has no parameter {name[:_SHOWN]!r}; it takes: {expected}")
        if type(value) not in _TYPES[param.type]:
            article = "an" if param.type[0] in "aio" else "a"
            got = _JSON_NAMES.get(type(value), type(value).__name__)
            raise ParametersError(f"parameter {name!r} of {action.name} is {article} {param.type}, got {got}")
    for param in action.params:
        if param.required and param.name not in params:
            raise ParametersError(f"{action.name} needs the parameter {param.name!r}, which is missing")
    try:
        shown = msgspec.json.encode(params)
    except (RecursionError, ValueError, msgspec.MsgspecError) as error:
        raise ParametersError(f"the parameters of {action.name} can't be written down: {error}") from error
    if len(shown) > _MOST_BYTES:
        raise ParametersError(
            f"the parameters of {action.name} have {len(shown)} bytes; {_MOST_BYTES} are the most, for a person to read"
        )
    return shown.decode()
