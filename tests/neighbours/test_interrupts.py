"""A graph that waits for a person, or is cancelled, has not failed: neither our spans nor those of others say so."""

from __future__ import annotations

from typing import Any

import pytest

from tests.neighbours.running import spans_of


@pytest.fixture(scope="module", params=[(), ("langchain",)], ids=["alone", "with langchain's instrumentor"])
def seen(request: pytest.FixtureRequest) -> dict[str, Any]:
    pytest.importorskip("langgraph")
    if request.param:
        pytest.importorskip("openinference.instrumentation.langchain")
    return spans_of("graph.py", *request.param)


@pytest.mark.parametrize("suffix", ["", ", async"])
@pytest.mark.parametrize(
    ("run", "paused"),
    [
        ("paused in a node", {"our node", "ask"}),
        ("paused in a tool", {"our tool", "delete", "tools"}),
        ("resumed", set()),
    ],
)
def test_graph_that_waits_for_a_person_is_paused(run: str, paused: set[str], suffix: str, seen: dict[str, Any]) -> None:
    found = seen[run + suffix]
    assert all(span["status"] != "ERROR" and span["error_type"] is None for span in found["spans"])
    assert {span["outcome"] for span in found["spans"]} <= {None, "paused"}
    names = {span["name"] for span in found["spans"]}
    assert {span["name"] for span in found["spans"] if span["outcome"] == "paused"} == paused & names
    assert all(span["kind"] == "coat.error" for span in found["spans"] if span["outcome"])
    assert {error["fn"] for error in found["errors"]} == paused & names
    assert all((error["ok"], error["outcome"]) == (False, "paused") for error in found["errors"])
    assert all(error["error_type"] == "GraphInterrupt" for error in found["errors"])


def test_graph_that_is_cancelled_has_not_failed(seen: dict[str, Any]) -> None:
    found = seen["cancelled"]
    assert all((span["status"], span["outcome"]) == ("UNSET", "cancelled") for span in found["spans"])
    assert [error["outcome"] for error in found["errors"]] == ["cancelled"] * len(found["spans"])


def test_graph_that_fails_has_failed(seen: dict[str, Any]) -> None:
    found = seen["failed"]
    assert all((span["status"], span["outcome"]) == ("ERROR", None) for span in found["spans"])
    assert all("outcome" not in error for error in found["errors"])
