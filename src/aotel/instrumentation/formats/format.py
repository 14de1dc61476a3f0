"""What a wire format knows: how a request, an answer and the events of a stream become a neutral `Operation`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from opentelemetry.util.types import AttributeValue

    from aotel.instrumentation.plain import Plain
    from aotel.instrumentation.reading import Reading
    from aotel.instrumentation.trouble import ProviderError
    from aotel.operation import Operation, Usage

_SETTING: Final = 200  # characters


class Format(ABC):
    """One API's requests and answers, as plain values. Nothing here raises for an odd value: it says less then.

    Attributes:
        tag: the operation, as in `Op`.
        operation: the GenAI operation name (OpenTelemetry GenAI conventions 1.40).
        last: what the body of a stream that arrived as a whole has near its end, one of them.
        failed: what the body of an answer that failed has in it, one of them; others may have it too.
        asks_for_usage: whether a streamed answer counts tokens only on request (`stream_options.include_usage`).
    """

    tag: ClassVar[str] = "llm"
    operation: ClassVar[str] = "chat"
    last: ClassVar[tuple[bytes, ...]] = ()
    failed: ClassVar[tuple[bytes, ...]] = ()
    asks_for_usage: ClassVar[bool] = False

    @abstractmethod
    def request(self, request: Plain, reading: Reading) -> Operation:
        """Return what a request asks for."""

    @abstractmethod
    def answer(self, answer: Plain, operation: Operation, reading: Reading) -> None:
        """Add to an operation what an answer says."""

    @abstractmethod
    def usage(self, answer: Plain) -> Usage | None:
        """Return the tokens that an answer counts."""

    def failure(self, answer: Plain) -> ProviderError | None:
        """Return what an answer says went wrong, where it came as an answer and not as an error."""
        del answer
        return None

    def facts(self, request: Plain, answer: Plain) -> dict[str, AttributeValue]:
        """Return attributes beside those of the operation, of the API's own."""
        del request, answer
        return {}

    @abstractmethod
    def assemble(self, events: Iterable[dict[str, Any]]) -> Plain:
        """Return the answer that the events of a stream amount to, also where the last ones are missing."""


def mapping(value: Plain) -> dict[str, Any]:
    """Return a value that is an object, else an empty one."""
    return value if type(value) is dict else {}


def items(value: Plain) -> list[Any]:
    """Return a value that is a list, else an empty one."""
    return value if type(value) is list else []


def text(value: Plain) -> str | None:
    """Return a text that says something."""
    return value if type(value) is str and value else None


def count(value: Plain) -> int | None:
    """Return a number of tokens."""
    return value if type(value) is int and value >= 0 else None


def number(value: Plain) -> float | None:
    """Return a number."""
    return value if type(value) in {int, float} else None


def total(*counts: int | None) -> int | None:
    """Return the sum of those that are known; None where none is."""
    known = [each for each in counts if each is not None]
    return sum(known) if known else None


def settings(request: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return request parameters that have no field of their own; of an object, what kind it is and how strong.

    Args:
        request: the request.
        names: of parameters that are settings and never content.
    """
    found: dict[str, Any] = {}
    for name in names:
        value = request.get(name)
        if type(value) is dict:
            brief = {key: value[key] for key in _KIND if type(value.get(key)) in {str, int, bool}}
            if brief:
                found[name] = brief
        elif (type(value) is str and len(value) <= _SETTING) or type(value) in {bool, int, float}:
            found[name] = value
    return found


_KIND: Final = ("type", "name", "effort", "summary", "budget_tokens", "verbosity")
