"""What a person sees of a report, and does with it, in a real browser."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.view.report.runs import Run, about, docs_run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Locator, Page

    from tests.view.report.browser import Chromium


def row(page: Page, name: str, number: int = 0) -> Locator:
    return page.locator(".row", has=page.locator(".label", has_text=re.compile(f"^{re.escape(name)}$"))).nth(number)


def names(page: Page) -> list[str]:
    return page.locator(".row:not(.context) .label").all_text_contents()


def selected(page: Page) -> str:
    return page.locator(".row.selected .label").inner_text()


def test_header_sums_up_the_run(page: Page) -> None:
    assert page.title().startswith("python agent.py --question")
    assert page.locator("h1").inner_text() == "python agent.py --question 'Where do spans go?'"
    assert page.locator(".badges").inner_text().split("\n") == ["exit 0", "chain verified"]
    tiles = dict(
        zip(page.locator(".tile small").all_text_contents(), page.locator(".tile b").all_text_contents(), strict=True)
    )
    assert tiles == {
        "duration": "17.30 s",
        "operations · 1 unfinished": "24",
        "tokens in → out · 2,048 cached": "7,790 → 582",
        "error": "1",
        "files": "6",
        "host": "1",
        "violation": "1",
        "artifact": "1",
    }
    byline = page.locator("#byline").inner_text()
    assert "pod local" in byline
    assert "agents docs-agent, checker" in byline


def test_kinds_nesting_tokens_and_durations_of_operations(page: Page) -> None:
    call = row(page, "chat gpt-5.1")
    assert call.get_attribute("aria-level") == "4"
    assert call.locator(".kind").inner_text().strip() == "Model"  # in words, beside the colour
    assert call.locator(".kind use").get_attribute("href") == "#i-llm"
    assert call.locator(".first").inner_text() == "1.70 s"
    assert call.locator(".second").inner_text() == "1,176 → 64"
    assert row(page, "docs-demo").locator(".second.sum").inner_text() == "7,790 → 582"
    levels = [int(each.get_attribute("aria-level") or 0) for each in page.locator(".row").all()[:4]]
    assert levels == [1, 2, 3, 4]


def test_an_error_is_seen_in_its_row(page: Page) -> None:
    page.locator("#errors-only").click()
    failed = row(page, "Library.read_document")
    assert failed.locator(".hint").inner_text() == "FileNotFoundError: there is no document docs/faq.md"
    assert failed.locator("use[href='#i-failed']").count() == 1
    assert names(page) == ["Library.read_document"]
    assert page.locator(".row.context .label").all_text_contents() == ["docs-demo", "DocsAgent.answer", "look up"]


def test_an_operation_without_an_end_is_unfinished(page: Page) -> None:
    page.keyboard.press("End")
    assert selected(page) == "DocsAgent.keep"
    keep = row(page, "DocsAgent.keep")
    assert keep.locator(".first").inner_text() == "unfinished"
    assert keep.locator(".bar.open").count() == 1
    assert "unfinished: the log has no end of it" in page.locator("#detail").inner_text()


def test_one_that_was_stopped_is_no_error(page: Page) -> None:
    page.keyboard.press("End")
    page.keyboard.press("ArrowUp")
    assert page.locator(".row.selected.stopped .hint").inner_text() == "cancelled: nobody answered"


def test_rows_collapse_and_expand(page: Page) -> None:
    first = row(page, "DocsAgent.answer")
    first.locator(".twist").click()
    assert first.get_attribute("aria-expanded") == "false"
    assert first.locator(".inside").inner_text() == "9"
    assert names(page)[:3] == ["docs-demo", "DocsAgent.answer", "DocsAgent.answer"]
    first.locator(".twist").click()
    assert first.get_attribute("aria-expanded") == "true"
    assert row(page, "DocsAgent.plan").is_visible()
    page.locator("#collapse").click()
    assert names(page) == ["docs-demo"]
    assert page.locator(".inside .fault").inner_text() == "1"
    page.locator("#expand").click()
    assert page.locator("#list").get_attribute("aria-rowcount") == "24"


def test_details_of_a_call_of_a_model(page: Page) -> None:
    row(page, "chat gpt-5.1").click()
    detail = page.locator("#detail")
    text = detail.inner_text()
    for told in (
        "What is lost when a process is killed?",
        'search({"query": "lost process killed"})',
        "gpt-5.1-2026-03 (asked for: gpt-5.1)",
        "openai",
        "tool_calls",
        "413 ms",
        "claim_1",
        "tr_4bf92f3577b34da6a3ce929d0e0e4736",
        "p_0000000000001092",
        "sess_chat-7",
        "104.18.7.192:443",
    ):
        assert told in text
    assert " ".join(detail.locator(".tokens").inner_text().split()) == "1,176 tokens in 64 out 1,024 from cache"
    assert detail.locator(".text .of").inner_text() == "temperature"


def test_details_of_an_error_and_of_what_was_told_inside(page: Page) -> None:
    page.keyboard.press("n")  # the next error
    assert page.locator(".trouble").inner_text().split("\n") == [
        "FileNotFoundError",
        "",
        "there is no document docs/faq.md",
    ]
    page.locator(".path .link", has_text="look up").click()
    assert selected(page) == "look up"
    assert "passed over" in page.locator("#detail").inner_text()
    assert '"tool": "read_document"' in page.locator("#detail").inner_text()
    assert row(page, "look up", 1).locator(".emit").count() == 1


def test_events_of_the_machine_lead_to_their_operation(page: Page) -> None:
    page.locator("#tab-events").click()
    assert "Processes" in page.locator("#chips").inner_text()
    row(page, "104.18.7.192:443").click()
    detail = page.locator("#detail")
    assert "exact: by span id" in detail.inner_text()
    detail.locator(".link").click()
    page.locator("#tab-operations").click()
    assert selected(page) == "chat gpt-5.1"


def test_a_guess_is_marked_as_one(page: Page) -> None:
    page.locator("#tab-events").click()
    page.locator("#search").fill(".git/HEAD")
    page.locator("#search").press("Enter")
    detail = page.locator("#detail").inner_text()
    assert "heuristic: by process and time alone" in detail
    assert "\nlook up" in detail  # what the process that started git was in the midst of


def test_search_keeps_what_the_found_is_inside_of(page: Page) -> None:
    page.keyboard.press("/")
    page.keyboard.type("nothing like it")
    assert page.locator("#nothing").is_visible()
    page.locator("#search").fill("FileNotFound faq")  # all words, anywhere in what is told of an operation
    assert names(page) == ["Library.read_document"]
    assert page.locator("#found").inner_text() == "1 of 24"
    assert page.locator(".row mark").all_text_contents() == ["FileNotFound", "faq"]
    page.keyboard.press("Enter")
    assert selected(page) == "Library.read_document"
    page.locator("#search").focus()
    page.keyboard.press("Escape")
    assert page.locator("#found").inner_text() == ""
    assert page.locator("#list").get_attribute("aria-rowcount") == "24"


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("DNS api.openai", 2),
        ("git log", 1),
        ("answers.md", 1),
        ("two days old", 1),
        ("passwd", 1),
        ("4301", 3),
    ],
)
def test_search_in_events(page: Page, wanted: str, found: int) -> None:
    page.locator("#tab-events").click()
    page.locator("#search").fill(wanted)
    assert page.locator("#found").inner_text().split()[0] == str(found)


def test_kinds_can_be_hidden_and_agents_chosen(page: Page) -> None:
    page.locator(".chip", has_text="Decision").click()
    assert page.locator(".chip", has_text="Decision").get_attribute("aria-pressed") == "false"
    assert "DocsAgent.plan" not in names(page)
    page.keyboard.press("Escape")
    assert page.locator("#list").get_attribute("aria-rowcount") == "24"
    page.locator("#agent").select_option(label="checker")
    assert set(names(page)) == {"SourceChecker.check", "SourceChecker.stands_in"}
    page.locator(".chip", has_text="Delegation").dblclick()
    assert set(names(page)) == {"SourceChecker.check"}


def test_numbers_above_lead_to_what_they_count(page: Page) -> None:
    page.locator(".tile", has_text="violation").click()
    assert names(page) == ["not allowed (would block): path /etc/passwd"]
    page.locator(".tile", has_text="error").click()
    assert names(page) == ["Library.read_document"]


def test_the_keyboard_is_enough(page: Page) -> None:
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert selected(page) == "DocsAgent.answer"
    box = page.locator("#list")
    box.focus()
    active = box.get_attribute("aria-activedescendant") or ""
    assert page.locator(f"#{active} .label").inner_text() == "DocsAgent.answer"
    page.keyboard.press("ArrowLeft")
    assert row(page, "DocsAgent.answer").get_attribute("aria-expanded") == "false"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert selected(page) == "DocsAgent.plan"
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert selected(page) == "DocsAgent.answer"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "detail"
    page.keyboard.press("Escape")
    assert page.locator("#detail").is_hidden()
    assert page.evaluate("document.activeElement.id") == "list"
    page.keyboard.press("?")
    assert page.locator("#help").is_visible()
    page.keyboard.press("Escape")
    assert page.locator("#help").is_hidden()
    page.locator("#tab-operations").focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.id") == "tab-events"
    page.keyboard.press("1")
    assert page.locator("#tab-operations").get_attribute("aria-selected") == "true"
    page.keyboard.press("2")
    assert page.locator("#tab-events").get_attribute("aria-selected") == "true"


def width_of_bar(page: Page, name: str) -> float:
    box = row(page, name).locator(".bar").bounding_box()
    assert box is not None
    return box["width"]


def test_time_is_zoomed_and_moved(page: Page) -> None:
    before = width_of_bar(page, "DocsAgent.plan")
    page.keyboard.press("+")
    expect(page.locator("#range")).to_contain_text(" of 17.30 s")
    page.keyboard.press("0")
    expect(page.locator("#range")).to_have_text("Whole run, 17.30 s")
    row(page, "DocsAgent.plan").click()
    page.keyboard.press("z")
    expect(page.locator("#range")).not_to_contain_text("Whole")
    assert width_of_bar(page, "DocsAgent.plan") > 3 * before
    seen = page.locator("#range").inner_text()
    page.keyboard.press("Shift+ArrowRight")
    expect(page.locator("#range")).not_to_have_text(seen)


def test_a_drag_on_the_axis_and_the_wheel_choose_a_part(page: Page) -> None:
    axis = page.locator("#axis").bounding_box()
    assert axis is not None
    middle = axis["y"] + axis["height"] / 2
    page.mouse.move(axis["x"] + 100, middle)
    page.mouse.down()
    page.mouse.move(axis["x"] + 300, middle, steps=4)
    page.mouse.up()
    expect(page.locator("#range")).to_contain_text(" of 17.30 s")
    seen = page.locator("#range").inner_text()
    page.mouse.wheel(0, -300)
    expect(page.locator("#range")).not_to_have_text(seen)
    page.mouse.dblclick(axis["x"] + 100, middle)
    expect(page.locator("#range")).to_have_text("Whole run, 17.30 s")


def test_a_mark_on_a_lane_is_clicked(page: Page) -> None:
    plot = page.locator("#lanes-plot").bounding_box()
    assert plot is not None
    lanes = page.locator("#lanes .lane span").all_text_contents()
    # The violation is 610 ms into the second look-up, which begins at 200 + 8000 + 1850 ms.
    x = plot["x"] + (10_050 + 610 + 300) / (17_300 * 1.01) * plot["width"]
    page.mouse.click(x, plot["y"] + lanes.index("Violations") * 18 + 9)
    assert "/etc/passwd" in page.locator("#detail h2").inner_text()
    assert page.locator(".row.related .label").inner_text() == "Library.read_document"


def test_curves_show_values_and_have_gaps(page: Page) -> None:
    values = page.locator("#curves .side i")
    assert values.all_text_contents()[0].startswith("peak 3")
    assert " of 512 MiB" in values.all_text_contents()[1]
    plot = page.locator("#curves-plot").bounding_box()
    assert plot is not None
    at = {when: plot["x"] + (when + 300) / (17_300 * 1.01) * plot["width"] for when in (2_000, 8_700)}
    page.mouse.move(at[2_000], plot["y"] + 10)
    assert values.all_text_contents()[0].endswith(" %")
    page.mouse.move(at[8_700], plot["y"] + 10)
    assert values.all_text_contents() == ["not measured"] * 4
    assert page.locator("#cursor").inner_text().startswith("9.0")  # since the run began, which was before the program


def brightness(page: Page) -> float:
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return sum(int(part) for part in re.findall(r"\d+", colour)[:3]) / 3


def test_light_and_dark(chromium: Chromium, docs_report: Path) -> None:
    light, dark = chromium.open(docs_report), chromium.open(docs_report, scheme="dark")
    assert brightness(light) > 230
    assert brightness(dark) < 40
    dark.keyboard.press("t")
    assert brightness(dark) > 230
    dark.reload()
    dark.wait_for_selector("html[data-ready]")
    assert brightness(dark) > 230  # the choice is remembered
    chromium.tabs[-1].requests.pop()


@pytest.mark.parametrize("width", [1024, 1440, 2560])
def test_nothing_sticks_out(chromium: Chromium, docs_report: Path, width: int) -> None:
    page = chromium.open(docs_report, width=width, height=768)
    row(page, "chat gpt-5.1").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("document.documentElement.scrollHeight") <= 768
    for name in ("#axis", "#list", "#detail", "#machine"):
        box = page.locator(name).bounding_box()
        assert box is not None
        assert box["width"] > 150, name
        assert box["x"] + box["width"] <= width + 1, name


def test_names_are_seen_however_deep(look_at: Callable[..., Page]) -> None:
    run = Run()
    inside = ""
    for depth in range(300):
        inside = run.operation("agent.step.start", f"level {depth}", depth, 1_000 - depth, inside=inside)
    page = look_at(run)
    page.keyboard.press("End")
    box = row(page, "level 299").locator(".label").bounding_box()
    assert box is not None
    assert box["width"] > 40
    assert box["x"] + box["width"] < 430


def test_a_run_of_which_nothing_is_known(look_at: Callable[..., Page]) -> None:
    page = look_at(Run(about=about(status=1)))
    assert page.locator("#nothing").inner_text() == "No operations were recorded in this run."
    assert page.locator(".badges").inner_text().startswith("exit 1")


def test_a_run_that_was_only_watched_opens_with_its_events(look_at: Callable[..., Page]) -> None:
    run = Run(about=about(status=137, exit={"signal": "SIGKILL", "status": 137, "reason": "memory limit"}))
    run.machine("process_start", 0, command=["make", "all"], ppid=1)
    page = look_at(run)
    assert names(page) == ["make all"]
    assert page.locator(".badges").inner_text().startswith("exit 137 · SIGKILL, memory limit")


def test_a_run_without_an_end(look_at: Callable[..., Page]) -> None:
    run = docs_run()
    assert run.about is not None
    del run.about["exit"], run.about["ended"]
    run.about["state"] = "running"
    assert look_at(run).locator(".badges").inner_text().startswith("not finished")


def test_roles_and_names_for_those_who_listen(page: Page) -> None:
    expect(page.get_by_role("treegrid", name="Operations")).to_be_visible()
    expect(page.get_by_role("searchbox", name="Search")).to_be_visible()
    expect(page.get_by_role("tab", name="Operations 24", selected=True)).to_be_visible()
    expect(page.get_by_role("button", name="Errors only", pressed=False)).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("Model chat gpt-5.1"), level=4).first).to_be_visible()
    assert (
        page.evaluate(
            "[...document.querySelectorAll('button')].filter((b) => !b.innerText.trim() && !b.ariaLabel).length"
        )
        == 0
    )
    row(page, "chat gpt-5.1").click()
    expect(page.get_by_role("complementary", name="Details")).to_be_visible()
