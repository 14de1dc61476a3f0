"""What holds still around a fork, and starts anew in the child: registered once for all, because hooks stay."""

from __future__ import annotations

# It registers hooks of its own, which must not appear while one of ours waits.
import concurrent.futures.thread  # noqa: F401  # pyright: ignore[reportUnusedImport]
import contextlib
import os
import weakref


class Forking:
    """Something that holds locks, connections, ids or threads' work, none of which a child can take over."""

    __slots__ = ("__weakref__",)

    def before_fork(self) -> None:
        """Stop what must not go on while the process forks; in the thread that forks, so only for a moment."""

    def after_fork_in_parent(self) -> None:
        """Go on."""

    def after_fork_in_child(self) -> None:
        """Forget the parent's locks, connections and unsent items, without a byte to any of its sockets."""


_members: weakref.WeakSet[Forking] = weakref.WeakSet()


def watch(member: Forking) -> None:
    """Have `member` told about every fork from now on, as long as it lives."""
    _members.add(member)


def _before() -> None:
    for member in list(_members):
        with contextlib.suppress(Exception):
            member.before_fork()


def _in_parent() -> None:
    for member in list(_members):
        with contextlib.suppress(Exception):
            member.after_fork_in_parent()


def _in_child() -> None:
    for member in list(_members):
        with contextlib.suppress(Exception):
            member.after_fork_in_child()


# Hooks can't be taken back: these three serve all there will ever be.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
