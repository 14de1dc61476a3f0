"""Every envelope that a test produces is valid under `semconv/aotp-0.1.schema.json`: the check, and a fixture."""

from __future__ import annotations

import functools
import json
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from aotel.testing import RecordedEnvelopes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from opentelemetry.sdk._logs import ReadableLogRecord
    from opentelemetry.sdk._logs.export import LogRecordExportResult

Envelope = dict[str, Any]

SCHEMA = Path(__file__).parent.parent / "semconv" / "aotp-0.1.schema.json"


@functools.lru_cache(maxsize=1)
def _validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()))


def problems_of(envelope: Envelope) -> list[str]:
    """Return what the schema says against an envelope; nothing where it is valid."""
    return [f"{'.'.join(map(str, error.path))}: {error.message}" for error in _validator().iter_errors(envelope)]


def assert_valid(envelopes: Iterable[Envelope]) -> None:
    """Fail unless every envelope is valid."""
    for envelope in envelopes:
        assert not problems_of(envelope), f"{problems_of(envelope)} in {json.dumps(envelope)[:2000]}"


def read_envelopes(path: Path) -> list[Envelope]:
    """Return the envelopes of a file of JSON lines, each of them valid."""
    envelopes = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    assert_valid(envelopes)
    return envelopes


def closes(envelope: Envelope) -> bool:
    """Say whether an envelope is the end of its operation."""
    return "ok" in envelope["payload"]


def opens(envelope: Envelope) -> bool:
    """Say whether an envelope is the start of its operation."""
    return "preview" in envelope["payload"]


def by_span(envelopes: Iterable[Envelope]) -> dict[tuple[str, str], list[Envelope]]:
    """Return the envelopes of each span of each producer, in their order."""
    found: dict[tuple[str, str], list[Envelope]] = defaultdict(list)
    for envelope in envelopes:
        found[envelope["producer"], envelope["ids"]["span_id"]].append(envelope)
    return dict(found)


def assert_paired(envelopes: Iterable[Envelope]) -> None:
    """Fail unless each span has one start, first, and one end, last, all with the same ids and numbers of their own."""
    for group in by_span(envelopes).values():
        assert [opens(envelope) for envelope in group] == [True] + [False] * (len(group) - 1), group
        assert [closes(envelope) for envelope in group] == [False] * (len(group) - 1) + [True], group
        assert all(envelope["ids"] == group[0]["ids"] for envelope in group), group
        assert [envelope["seq"] for envelope in group] == list(range(len(group))), group


_ALL_OF_THE_FIRST, _THEN_ONE_IN = 1000, 100


@pytest.fixture(autouse=True)
def every_envelope_is_valid(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Hold the envelopes that recorders of `aotel.testing` get during the test against the schema.

    All of the first thousand; of the masses that a few tests make, one in a hundred, since a check takes a millisecond.
    """
    bodies: list[str] = []
    export = RecordedEnvelopes.export

    def keeping(self: RecordedEnvelopes, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        bodies.extend(str(record.log_record.body) for record in batch)
        return export(self, batch)

    monkeypatch.setattr(RecordedEnvelopes, "export", keeping)
    yield
    checked = [*bodies[:_ALL_OF_THE_FIRST], *bodies[_ALL_OF_THE_FIRST::_THEN_ONE_IN]]
    problems = [f"{problem} in {body[:2000]}" for body in checked for problem in problems_of(json.loads(body))]
    assert not problems, "\n".join(problems[:10])
