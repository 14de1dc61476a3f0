"""A Phoenix for tests: one process on free ports of the loopback, with a database that goes when it does."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import ProxyHandler, Request, build_opener

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Self

ROOT = Path(__file__).resolve().parents[2]
COMMAND = ROOT / ".venv-phoenix" / "bin" / "phoenix"
STARTING = 180.0  # seconds that a slow machine may take
ENDING = 10.0
ARRIVAL = 30.0  # seconds from the end of a program until its spans are in the database

Json = dict[str, Any]

_OPEN = build_opener(ProxyHandler({})).open  # no proxy leads to the loopback


@dataclass(frozen=True)
class Span:
    """A span as Phoenix has it.

    Attributes:
        id: its own.
        parent: its parent's id, or None.
        name: as it was given.
        kind: of OpenInference.
        status: "OK", "ERROR" or "UNSET".
        status_message: what went wrong.
        attributes: by their names with dots; objects that Phoenix decoded from JSON are flat too.
        events: name and attributes of each.
        start: when it started, as ISO 8601.
    """

    id: str
    trace: str
    parent: str | None
    name: str
    kind: str
    status: str
    status_message: str
    attributes: Json
    events: list[Json]
    start: str


class Phoenix:
    """The process, for as long as a `with` block runs.

    Args:
        directory: where it keeps its database.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._http, self._grpc = free_ports(2)
        self._process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        """Where its pages and its API are, and where it takes spans over HTTP."""
        return f"http://127.0.0.1:{self._http}"

    @property
    def grpc(self) -> str:
        """Where it takes spans over gRPC."""
        return f"http://127.0.0.1:{self._grpc}"

    def __enter__(self) -> Self:
        if not COMMAND.exists():
            raise FileNotFoundError(f"there is no {COMMAND.relative_to(ROOT)}: `make e2e` installs it")
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        settings = {
            "PHOENIX_HOST": "127.0.0.1",
            "PHOENIX_PORT": str(self._http),
            "PHOENIX_GRPC_PORT": str(self._grpc),
            "PHOENIX_WORKING_DIR": str(self._directory),
            "PHOENIX_SQL_DATABASE_URL": f"sqlite:///{self._directory / 'phoenix.db'}",
            "PHOENIX_TELEMETRY_ENABLED": "false",
            "PHOENIX_ALLOW_EXTERNAL_RESOURCES": "false",
            "PHOENIX_DISABLE_AGENT_ASSISTANT": "true",
            "NO_COLOR": "1",
        }
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [str(COMMAND), "serve"],
                env={**kept, **settings},
                cwd=self._directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._wait_until_it_answers()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self._process.poll() is None:
                os.killpg(self._process.pid, number)
                try:
                    self._process.wait(ENDING)
                except subprocess.TimeoutExpired:
                    continue
        self._process.wait(ENDING)

    def spans(self, project: str, until: Callable[[list[Span]], bool]) -> list[Span]:
        """Return the spans of a project in the order in which they started, once they are as they should be.

        Args:
            project: its name.
            until: whether all that is waited for has arrived.
        """
        ends = time.monotonic() + ARRIVAL
        while True:
            found = self._spans(project)
            if until(found):
                return found
            if time.monotonic() > ends:
                raise AssertionError(f"these spans arrived, and it waits for others: {[span.name for span in found]}")
            time.sleep(0.2)

    def traces(self, project: str) -> list[Json]:
        """Return the traces of a project, with their tokens."""
        return self._pages(f"/v1/projects/{quote(project)}/traces")

    def sessions(self, project: str) -> list[Json]:
        """Return the sessions of a project, with their traces and tokens."""
        return self._pages(f"/v1/projects/{quote(project)}/sessions")

    def project_id(self, project: str) -> str:
        """Return what addresses of pages call a project."""
        return str(self.get(f"/v1/projects/{quote(project)}")["data"]["id"])

    def get(self, path: str) -> Any:
        """Return what its API answers."""
        with _OPEN(self.url + path, timeout=30) as answer:
            return json.load(answer)

    def query(self, text: str, **variables: Any) -> Json:
        """Return what its GraphQL API answers."""
        body = json.dumps({"query": text, "variables": variables}).encode()
        request = Request(f"{self.url}/graphql", body, {"content-type": "application/json"})
        with _OPEN(request, timeout=30) as answer:
            found = json.load(answer)
        assert not found.get("errors"), found["errors"]
        data: Json = found["data"]
        return data

    def _spans(self, project: str) -> list[Span]:
        try:
            found = self._pages(f"/v1/projects/{quote(project)}/spans")
        except HTTPError as error:
            if error.code != 404:
                raise
            return []  # a project is there once its first span is
        return sorted((_span(one) for one in found), key=lambda span: span.start)

    def _pages(self, path: str) -> list[Json]:
        found: list[Json] = []
        cursor = None
        while True:
            page = self.get(f"{path}?{urlencode({'limit': 500} | ({'cursor': cursor} if cursor else {}))}")
            found += page["data"]
            cursor = page["next_cursor"]
            if cursor is None:
                return found

    @property
    def _log(self) -> Path:
        return self._directory / "phoenix.log"

    def _wait_until_it_answers(self) -> None:
        ends = time.monotonic() + STARTING
        while time.monotonic() < ends and self._process.poll() is None:
            try:
                with _OPEN(f"{self.url}/healthz", timeout=5):
                    return
            except OSError:
                time.sleep(0.2)
        raise RuntimeError(f"Phoenix did not start:\n{self._log.read_text(encoding='utf-8', errors='replace')[-4000:]}")


def free_ports(count: int) -> list[int]:
    """Return ports of the loopback that nobody listens on."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def _span(found: Json) -> Span:
    return Span(
        id=found["context"]["span_id"],
        trace=found["context"]["trace_id"],
        parent=found["parent_id"],
        name=found["name"],
        kind=found["span_kind"],
        status=found["status_code"],
        status_message=found["status_message"],
        attributes=found["attributes"],
        events=found["events"],
        start=found["start_time"],
    )
