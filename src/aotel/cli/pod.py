"""`aotel pod`: a pod that runs until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import resource
import signal
from pathlib import Path

import click

from aotel.errors import AotelError, ConfigurationError
from aotel.pod import systemd
from aotel.pod.config import FSYNC, Fsync, PodConfig, load
from aotel.pod.options import PodOptions, read_key
from aotel.pod.server import Pod
from aotel.pod.tables import parse_mode

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class _Mode(click.ParamType):  # type: ignore[type-arg]  # which older versions of click have none of
    """A file's mode, in octal digits."""

    name = "mode"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        mode = value if isinstance(value, int) else parse_mode(str(value))
        if mode is None:
            self.fail(f"expected a mode in octal digits, such as 0660, got {value!r}", param, ctx)
        return mode


@click.command()
@click.option(
    "--dir",
    "directory",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Where sockets, audit.jsonl and state are; made if there is none.",
)
@click.option("--pod-id", help="The pod's name in the log.  [default: the directory's]")
@click.option(
    "--config",
    "config_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="pod.toml: agents, actions and more; options given here win over it.",
)
@click.option("--otlp", metavar="ENDPOINT", help="Forward envelopes to this OTLP endpoint, with the identity applied.")
@click.option(
    "--audit-key-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Key of the log's hash chain; without one, the chain shows accidents only.",
)
@click.option(
    "--fsync",
    type=click.Choice(FSYNC),
    help="When the log is written to the disk itself: never, every second, or before each answer.  [default: interval]",
)
@click.option("--rotate-bytes", type=click.IntRange(min=1), help="Size at which the log goes on in a new file.")
@click.option("--socket-mode", type=_Mode(), help="Who may connect.  [default: 0660]")
@click.option(
    "--directory-mode", type=_Mode(), help="Mode of the directory.  [default: 0700 for one that is made, else as it is]"
)
def command(  # noqa: PLR0913 - one argument an option
    *,
    directory: Path,
    pod_id: str | None,
    config_file: Path | None,
    otlp: str | None,
    audit_key_file: Path | None,
    fsync: Fsync | None,
    rotate_bytes: int | None,
    socket_mode: int | None,
    directory_mode: int | None,
) -> None:
    """Receive envelopes on a socket and keep the audit log.

    Prints READY when programs can connect: set ENVPOD_POD_ID and ENVPOD_SOCKET=DIR/queue.sock for them. SIGTERM and
    SIGINT stop it when what it has read is written and answered.
    """
    logging.basicConfig(format="%(levelname)s %(message)s", level=logging.INFO)
    try:
        options = PodOptions(
            directory=directory,
            pod_id=pod_id,
            config=PodConfig() if config_file is None else load(config_file),
            otlp=otlp,
            key=None if audit_key_file is None else read_key(audit_key_file),
            rotate_bytes=rotate_bytes,
            fsync=fsync,
            socket_mode=socket_mode,
            directory_mode=directory_mode,
        )
        _raise_file_limit()
        asyncio.run(_serve(options))
    except ConfigurationError as error:
        raise click.UsageError(str(error)) from error
    except AotelError as error:
        raise click.ClickException(str(error)) from error


async def _serve(options: PodOptions) -> None:
    pod = Pod(options)
    asked: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    for number in _SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, _ask_to_stop, asked, number.name)
    await pod.start()
    click.echo(f"aotel: pod {pod.pod_id!r} listens on {pod.sockets.queue}", err=True)
    click.echo("READY")
    systemd.notify("READY=1")
    reason = await asked
    systemd.notify("STOPPING=1")
    await pod.stop(reason)
    for number in _SIGNALS:
        # Who asks again while the loop is being closed must not make the end look like a failure.
        asyncio.get_running_loop().remove_signal_handler(number)
        signal.signal(number, signal.SIG_IGN)


def _ask_to_stop(asked: asyncio.Future[str], reason: str) -> None:
    if not asked.done():
        asked.set_result(reason)


def _raise_file_limit() -> None:
    """Allow as many connections as the system lets this process have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
