"""What an agent, a model or a file name says becomes text on the page, and nothing else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from aotel.view.report import write_report
from aotel.view.report.writing import as_inert_json
from tests.view.report.runs import Run, about

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Page

ATTACKS = {
    "end of script": "</script><img src=x onerror=window.pwned=1><script>window.pwned=1</script>",
    "comment": "<!--<script>",
    "markup": "<b onclick=window.pwned=1>bold</b>&amp;&lt;",
    "template": "${window.pwned=1}`'\"\\",
    "line separators": "a\u2028window.pwned=1\u2029b",
    "terminal": "\x1b[31mred\x1b]8;;http://evil\x07\x00",
    "direction": "exe.\u202egnp",
    "placeholder": "@data@ @program@ @style@ @style-hash@ $& $1",
    "property": "__proto__",
    "address": "javascript:window.pwned=1",
}


def hostile_run(text: str) -> Run:
    """Return a run that says a text wherever anything can be said."""
    run = Run(
        about=about(
            command=[text, text],
            name=text,
            message=text,
            state=text,
            exit={"status": 1, "signal": text, "reason": text},
        )
    )
    whole = run.operation(
        "agent.llm.request",
        text,
        0,
        100,
        agent=text,
        preview={"args": [text], "kwargs": {text: text}},
        result_preview=text,
        captured={text: text},
        llm={
            "provider": text,
            "request_model": text,
            "response_model": text,
            "response_id": text,
            "finish_reasons": [text],
        },
        tool={"name": text, "call_id": text},
        retrieval={"query": text, "documents": 1},
    )
    run.operation("agent.tool.call", text, 10, 20, inside=whole, agent="a", error=(text, text))
    run.operation("agent.tool.call", text, 40, 20, inside=whole, agent="a", error=(text, text), outcome=text)
    run.emit(15, text, {text: text, "kind": text, "message": text}, inside=whole)
    run.emit(16, "notify", {"kind": "error", "message": text, text: text})
    named = dict.fromkeys(("path", "host", "kind", "value", "message", "agent", "description", "reason", text), text)
    for action in (
        "file_open",
        "net_connect",
        "dns_query",
        "process_start",
        "process_exit",
        "policy_violation",
        "artifact",
    ):
        run.machine(action, 20, {**named, "command": [text]}, inside=whole)
    for action in ("limit_warning", "install", "claim", "gate", "pod_stop", "bad_request", text):
        run.machine(action, 30, {**named, "packages": [text], text: {text: [text]}})
    return run


@pytest.mark.parametrize("attack", ATTACKS)
def test_is_inert_wherever_it_stands(look_at: Callable[..., Page], attack: str) -> None:
    text = ATTACKS[attack]
    page = look_at(hostile_run(text))
    for tab, count in (("operations", 3), ("events", 15)):
        page.locator(f"#tab-{tab}").click()
        assert page.locator("#list").get_attribute("aria-rowcount") == str(count)
        page.locator("#list").focus()
        page.keyboard.press("Home")
        for _ in range(count):
            assert page.locator("#detail h2").inner_text()
            page.keyboard.press("ArrowDown")
        page.locator("#search").fill(text[:12])
        page.locator("#search").fill("")
    assert page.evaluate("window.pwned") is None
    assert page.evaluate("Object.keys(Object.prototype)") == []
    assert page.evaluate("document.querySelectorAll('img, iframe, object, embed, body b[onclick], a').length") == 0
    assert page.evaluate("document.scripts.length") == 1  # the data's block is gone once it is read


def test_is_shown_as_it_was_written(look_at: Callable[..., Page]) -> None:
    page = look_at(hostile_run(ATTACKS["markup"]))
    assert page.locator(".row .label").first.inner_text() == ATTACKS["markup"]


def test_what_is_not_seen_is_written_out(look_at: Callable[..., Page]) -> None:
    page = look_at(hostile_run("\x1b[31mred\u202egnp\u2028x"))
    assert page.locator(".row .label").first.inner_text() == r"\x1b[31mred\u202egnp\u2028x"


@pytest.mark.parametrize("attack", ATTACKS)
def test_cannot_end_the_block_it_stands_in(attack: str) -> None:
    written = as_inert_json({"text": ATTACKS[attack], ATTACKS[attack]: 1})
    assert not re.search("[<>&\u2028\u2029]", written)


def test_a_policy_allows_this_program_alone(docs_report: Path) -> None:
    text = docs_report.read_text(encoding="utf-8")
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', text)
    assert policy is not None
    assert policy[1].startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy[1]
    assert text.index(policy[0]) < text.index("<style>")


def test_the_page_is_one_file_without_addresses(docs_report: Path) -> None:
    text = docs_report.read_text(encoding="utf-8")
    page = re.sub(r'<script type="application/json".*?</script>', "", text, flags=re.DOTALL)
    addresses = set(re.findall(r"""(?:https?:)?//[\w.-]+\.\w+[^\s"'`)]*""", page))
    assert addresses == {"http://www.w3.org/2000/svg"}  # the name of SVG: nobody asks there
    assert not re.search(r"\b(?:src|href)=[\"'](?!#|data:)", page)
    assert not re.search(
        r"@import|url\(|\bfetch\(|XMLHttpRequest|WebSocket|innerHTML|outerHTML|insertAdjacentHTML|eval\(", page
    )


def test_markers_of_secrets_stay_as_they_are(look_at: Callable[..., Page]) -> None:
    run = Run()
    run.operation(
        "agent.tool.call", "send", 0, 1, preview={"args": [], "kwargs": {"password": "<redacted:1a2b3c4d5e6f>"}}
    )
    page = look_at(run)
    page.locator(".row").click()
    assert "<redacted:1a2b3c4d5e6f>" in page.locator("#detail").inner_text()


@pytest.mark.parametrize(
    "envelope",
    [
        {},
        {"payload": 1},
        {"payload": {}, "ids": []},
        {"kind": 3, "ts": "yesterday", "payload": {"fn": None}, "ids": {"span_id": 7}},
        {
            "kind": "agent.llm.response",
            "ts": "9999-12-31T23:59:59Z",
            "payload": {"duration_ms": 1e308, "ok": True, "llm": {"input_tokens": 1e300}},
        },
        {"kind": "agent.tool.call", "ts": "0001-01-01T00:00:00Z", "payload": {"fn": "x", "duration_ms": -5}},
        {"kind": "coat.emit", "payload": {"tag": ["x"], "data": {"a": [[[[]]]]}}},
        {"kind": "agent.tool.call", "payload": {"fn": "x" * 100_000, "preview": {"args": "no list", "kwargs": [1]}}},
    ],
)
def test_odd_envelopes_do_no_harm(tmp_path: Path, envelope: dict[str, Any]) -> None:
    run = Run()
    for span_id in ("sp_1", ""):
        odd = {"ids": {"span_id": span_id, "trace_id": "tr_1", "parent_span_id": span_id}, **envelope}
        run.entries.append(("agent_coat", odd, True, None))
    run.entries.append(("agent_coat", {"payload": "x"}, True, None))
    write_report(run.write(tmp_path), tmp_path / "report.html")
    assert (tmp_path / "report.html").stat().st_size < 400_000
