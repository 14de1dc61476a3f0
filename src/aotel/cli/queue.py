"""`aotel queue`: what agents ask to do, and a person's decision on it."""

from __future__ import annotations

import os
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
import msgspec

from aotel.cli.visible import visible
from aotel.envelopes.protocol import ProtocolError, RateLimited, Refused
from aotel.export.connection import Connection, NoReplyError
from aotel.pod import control

if TYPE_CHECKING:
    from collections.abc import Callable

    Reply = TypeVar("Reply")

_LATEST = Path(".aotel/runs/latest")
_SOCKET = "control.sock"
_TIMEOUT = 5.0  # seconds
_SHORT_ID = 8
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400

_directory = click.option(
    "--dir",
    "directory",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help=f"The pod's directory.  [default: that of the latest run, {_LATEST}]",
)
_as_json = click.option("--json", "as_json", is_flag=True, help="JSON, for programs.")


@click.group("queue")
def command() -> None:
    """List, approve and deny actions that wait for a person.

    Agents ask over the pod's queue; what is staged waits, what is delayed goes ahead after a while. Only the user whose
    pod it is, and root, may decide, and no process of an agent.
    """


@command.command("list")
@_directory
@_as_json
def list_(*, directory: Path | None, as_json: bool) -> None:
    """Show what waits, the oldest first, in full."""
    reply = _ask(directory, control.QueueList(), control.decode_list_reply)
    if as_json:
        click.echo(_json(reply.actions))
        return
    if not reply.actions:
        click.echo("Nothing waits.")
    for action in reply.actions:
        click.echo(_shown(action, datetime.now(timezone.utc)))


@command.command()
@click.argument("action_id", metavar="ID")
@_directory
@_as_json
def approve(*, action_id: str, directory: Path | None, as_json: bool) -> None:
    """Let an action go ahead, once.

    ID is the action's, or the first 8 characters of it or more.
    """
    _decide(control.QueueDecide(action_id, "approve"), directory, as_json=as_json)


@command.command()
@click.argument("action_id", metavar="ID")
@_directory
@_as_json
def deny(*, action_id: str, directory: Path | None, as_json: bool) -> None:
    """Cancel an action; also one that is approved, as long as its agent was not told.

    ID is the action's, or the first 8 characters of it or more.
    """
    _decide(control.QueueDecide(action_id, "deny"), directory, as_json=as_json)


def _decide(decision: control.QueueDecide, directory: Path | None, *, as_json: bool) -> None:
    reply = _ask(directory, decision, control.decode_decision_reply)
    if as_json:
        click.echo(_json({"id": reply.id, "state": reply.state, "description": reply.description}))
    else:
        click.echo(f"{reply.state}: {visible(reply.description)}")


def _ask(
    directory: Path | None, request: control.Request, decode: Callable[[bytes], Reply | RateLimited | Refused]
) -> Reply:
    where = _LATEST if directory is None else directory
    # The directory may have a link to a socket whose own path is short enough for one.
    connection = Connection(os.path.realpath(where / _SOCKET), timeout=_TIMEOUT)
    try:
        reply = decode(connection.exchange(control.encode(request)))
    except NoReplyError as error:
        raise click.ClickException(_no_pod(where, directory, error)) from error
    except ProtocolError as error:
        raise click.ClickException(f"what answers at {where / _SOCKET} is no pod of aotel: {error}") from error
    finally:
        connection.close()
    if isinstance(reply, Refused | RateLimited):
        raise click.ClickException(visible(reply.message or "the pod is busy: try again"))
    return reply


def _no_pod(where: Path, given: Path | None, error: NoReplyError) -> str:
    if error.connected:
        return f"the pod in {where} does not answer: {error}"
    if isinstance(error.__cause__, PermissionError):
        return f"the pod in {where} is another user's: only that one and root may decide"
    hint = "name its directory with --dir" if given is None else "start one with `aotel pod --dir`, or name another"
    return f"no pod runs in {where}: {error}; {hint}"


def _shown(action: control.Waiting, now: datetime) -> str:
    asked = f"pid {action.by.get('pid')}, uid {action.by.get('uid')}"
    due = f", goes ahead at {action.due_at}" if action.due_at else ""
    head = f"{action.id[:_SHORT_ID]}  {action.tier}  {_age(action.created_at, now)}, by {asked}{due}"
    return f"{visible(head)}\n    {visible(action.description)}"


def _age(created_at: str, now: datetime) -> str:
    try:
        seconds = (now - datetime.fromisoformat(created_at.replace("Z", "+00:00"))).total_seconds()
    except ValueError:
        return created_at
    for unit, name in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= unit:
            return f"{seconds // unit:.0f} {name} ago"
    return f"{max(0.0, seconds):.0f} s ago"


def _json(value: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
