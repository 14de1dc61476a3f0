"""Silence for our own calls only: exact, counted, and gone when nobody needs it."""

from __future__ import annotations

import logging
import threading

import pytest
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter

from aotel.export.quiet import Hush, listening

LOGGER = logging.getLogger("opentelemetry.exporter.otlp.proto.grpc.exporter")


@pytest.fixture
def exporter() -> OTLPLogExporter:
    return OTLPLogExporter(endpoint="http://127.0.0.1:1")


def test_only_what_is_said_inside_is_kept(exporter: OTLPLogExporter, caplog: pytest.LogCaptureFixture) -> None:
    hush = Hush(exporter)
    LOGGER.warning("before")
    with listening() as heard:
        LOGGER.warning("inside %s", 1)
    LOGGER.warning("after")
    hush.lift()
    assert [each.getMessage() for each in caplog.records] == ["before", "after"]
    assert heard.messages == ["inside 1"]
    assert heard.arguments == [1]


def test_other_threads_are_heard_meanwhile(exporter: OTLPLogExporter, caplog: pytest.LogCaptureFixture) -> None:
    hush = Hush(exporter)
    with listening():
        other = threading.Thread(target=LOGGER.warning, args=("from a user's exporter",))
        other.start()
        other.join()
    hush.lift()
    assert [each.getMessage() for each in caplog.records] == ["from a user's exporter"]


def test_what_we_silence_does_not_count_as_said_before(
    exporter: OTLPLogExporter, caplog: pytest.LogCaptureFixture
) -> None:
    hush = Hush(exporter)
    with listening():
        LOGGER.error("Failed to export")
    LOGGER.error("Failed to export")
    hush.lift()
    assert len(caplog.records) == 1


def test_filters_are_gone_when_the_last_user_is(exporter: OTLPLogExporter) -> None:
    before = list(LOGGER.filters)
    first, second = Hush(exporter), Hush(exporter)
    assert len(LOGGER.filters) == len(before) + 1
    first.lift()
    first.lift()
    assert len(LOGGER.filters) == len(before) + 1
    second.lift()
    assert LOGGER.filters == before


def test_outside_of_a_logger_of_the_stock_exporters_nothing_changes(
    exporter: OTLPLogExporter, caplog: pytest.LogCaptureFixture
) -> None:
    hush = Hush(exporter)
    with listening():
        logging.getLogger("opentelemetry.context").warning("heard")
        logging.getLogger("my.app").warning("heard")
    hush.lift()
    assert len(caplog.records) == 2


def test_botched_message_is_dropped_like_any_other(exporter: OTLPLogExporter) -> None:
    hush = Hush(exporter)
    with listening() as heard:
        LOGGER.warning("%d", "no number")
    hush.lift()
    assert heard.messages == []
