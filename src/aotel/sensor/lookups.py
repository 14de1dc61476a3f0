"""Which names led to an address: told by the answers of look-ups, which no event tells."""

from __future__ import annotations

import _socket
import contextlib
import functools
import socket
from typing import TYPE_CHECKING, Any, Final

from aotel.sensor import arguments

if TYPE_CHECKING:
    from collections.abc import Callable

_MOST: Final = 4096
"""Addresses that are remembered; past that the oldest are forgotten."""
_FUNCTIONS: Final = ("getaddrinfo", "gethostbyname", "gethostbyname_ex")


class Lookups:
    """The answers of the process's look-ups.

    Python's functions for looking up are replaced by ones that do the same and listen to the answer.
    """

    def __init__(self) -> None:
        self._names: dict[str, tuple[str, ...]] = {}
        self._replaced: dict[str, tuple[Any, Any]] = {}

    def listen(self) -> None:
        """Listen from now on."""
        for name in _FUNCTIONS:
            original = getattr(_socket, name, None)
            if original is not None and name not in self._replaced:
                listening = _Listening(original, self.note)
                self._replaced[name] = (original, listening)
                _replace(name, original, listening)

    def stop(self) -> None:
        """Put the functions back where nobody else has replaced them meanwhile."""
        for name, (original, listening) in self._replaced.items():
            _replace(name, listening, original)
        self._replaced.clear()

    def names(self, address: str) -> tuple[str, ...]:
        """Return the names that led to an address, as they were looked up."""
        return self._names.get(address, ())

    def note(self, host: object, answer: object) -> None:
        """Remember an answer of one of the functions."""
        name = arguments.text(host)
        if name:
            for address in _addresses(answer):
                if address != name:
                    self._add(address, name)

    def _add(self, address: str, name: str) -> None:
        known = self._names.get(address, ())
        if name in known:
            return
        if not known and len(self._names) >= _MOST:
            with contextlib.suppress(StopIteration, RuntimeError, KeyError):  # another thread is at it
                del self._names[next(iter(self._names))]
        self._names[address] = (*known[-15:], name)


class _Listening:
    """A function as it was, with an ear for its answers; like a builtin it is no method, and can be pickled."""

    def __init__(self, function: Callable[..., Any], note: Callable[[object, object], None]) -> None:
        self._function = function
        self._note = note
        functools.update_wrapper(self, function)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        answer = self._function(*args, **kwargs)
        with contextlib.suppress(Exception):
            self._note(args[0] if args else kwargs.get("host"), answer)
        return answer

    def __reduce__(self) -> str:
        return str(self._function.__name__)


def _replace(name: str, former: Any, new: Any) -> None:
    # `socket.getaddrinfo` calls the one of `_socket`; the others are the same object in both.
    for module in (_socket, socket):
        if getattr(module, name, None) is former:
            setattr(module, name, new)


def _addresses(answer: object) -> list[str]:
    """Return the addresses in what `getaddrinfo`, `gethostbyname` or `gethostbyname_ex` returned."""
    if isinstance(answer, str):
        return [answer]
    if isinstance(answer, list):
        return [each[4][0] for each in answer if isinstance(each[4][0], str)]
    if isinstance(answer, tuple):
        return [each for each in answer[2] if isinstance(each, str)]
    return []
