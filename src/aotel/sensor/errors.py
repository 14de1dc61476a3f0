"""The error that a program gets to see where its policy is enforced."""

from __future__ import annotations

import errno
from typing import Final

from aotel.errors import AotelError

NO_SANDBOX: Final = (
    "This is no sandbox: only what goes through Python's own functions is held; native code, ctypes and programs that "
    "are no Python are not."
)
"""What has to be said wherever a policy is enforced."""


class BlockedError(AotelError, PermissionError):
    """A file, a host or a look-up that the policy doesn't allow.

    It is a `PermissionError`, as the system's own refusal would be.

    Args:
        message: what was blocked and by what.
    """

    def __init__(self, message: str) -> None:
        super().__init__(errno.EACCES, message)

    def __reduce__(self) -> tuple[type[BlockedError], tuple[str]]:
        return BlockedError, (str(self.args[1]),)
