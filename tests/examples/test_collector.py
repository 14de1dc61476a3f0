"""The collector's example configurations, without a collector: `make e2e-collector` asks a real one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.examples.collector_files import (
    BUILDER,
    FILES,
    FOLDER,
    additions,
    built,
    configurations,
    documented,
    text,
    variables,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

CONFIGURATIONS = configurations()
SECTIONS = ("receivers", "processors", "exporters", "extensions")
AOTEL_REQUEST = 3_500_000  # bytes that a request of aotel stays below, and so a span or envelope
GRPC_LIMIT = 4 << 20  # bytes that gRPC servers take unless told otherwise

Json = dict[str, Any]


@pytest.fixture(params=CONFIGURATIONS, ids=list(CONFIGURATIONS))
def configuration(request: pytest.FixtureRequest) -> Json:
    return CONFIGURATIONS[request.param]


def pipelines(configuration: Json) -> Json:
    found: Json = configuration["service"]["pipelines"]
    return found


def used(configuration: Json, section: str) -> set[str]:
    if section == "extensions":
        return set(configuration["service"]["extensions"])
    return {name for pipeline in pipelines(configuration).values() for name in pipeline.get(section, ())}


def queues(configuration: Json) -> Iterator[tuple[str, Json]]:
    """Yield the queue of each exporter that has one by its nature: writing a file is not put off."""
    for name, options in configuration["exporters"].items():
        if not name.startswith("file"):
            yield name, options["sending_queue"]


def settings(node: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Yield every value of a configuration with its path."""
    if isinstance(node, dict):
        for name, value in node.items():
            yield from settings(value, f"{path}.{name}")
    elif isinstance(node, list):
        for value in node:
            yield from settings(value, path)
    else:
        yield path, node


def test_every_file_is_part_of_a_configuration() -> None:
    assert {path.name for path in FOLDER.glob("*.yaml")} == {*FILES, BUILDER}


def test_the_three_signals_come_in_and_go_out(configuration: Json) -> None:
    assert set(pipelines(configuration)) == {"traces", "logs", "metrics"}
    assert set(configuration["receivers"]["otlp"]["protocols"]) <= {"grpc", "http"}
    assert all(pipeline["receivers"] == ["otlp"] for pipeline in pipelines(configuration).values())
    assert all(pipeline["exporters"] for pipeline in pipelines(configuration).values())


def test_agents_take_both_protocols() -> None:
    assert set(CONFIGURATIONS["agent"]["receivers"]["otlp"]["protocols"]) == {"grpc", "http"}


@pytest.mark.parametrize("section", SECTIONS)
def test_what_is_used_is_declared_and_what_is_declared_is_used(configuration: Json, section: str) -> None:
    assert used(configuration, section) == set(configuration[section])


@pytest.mark.parametrize("section", SECTIONS)
def test_the_builder_has_every_component(configuration: Json, section: str) -> None:
    types = {(section, name.partition("/")[0]) for name in configuration[section]}
    assert types <= built()


def test_the_builder_has_nothing_else() -> None:
    shown = {
        (section, name.partition("/")[0])
        for configuration in CONFIGURATIONS.values()
        for section in SECTIONS
        for name in configuration[section]
    }
    assert built() == shown


def test_queues_are_on_disk(configuration: Json) -> None:
    for name, queue in queues(configuration):
        assert queue["storage"] in configuration["service"]["extensions"], name
        assert queue["sizer"] == "bytes", name
        assert queue["queue_size"] >= 100_000_000, name


def test_nothing_answers_before_it_is_on_disk(configuration: Json) -> None:
    # A batch processor does, and so does a queue in memory under the one on disk.
    assert not [name for name in configuration["processors"] if name.startswith("batch")]
    for name, options in configuration["exporters"].items():
        if name.startswith("load_balancing"):
            assert options["protocol"]["otlp"]["sending_queue"] == {"enabled": False}


def test_spans_and_envelopes_are_tried_for_ever(configuration: Json) -> None:
    kept = {name for signal in ("traces", "logs") for name in pipelines(configuration)[signal]["exporters"]}
    for name in kept:
        options = configuration["exporters"][name]
        if not name.startswith("file"):
            assert options["retry_on_failure"]["enabled"], name
            assert options["retry_on_failure"]["max_elapsed_time"] == "0s", name


def test_envelopes_are_never_sampled(configuration: Json) -> None:
    assert pipelines(configuration)["logs"]["processors"] == ["memory_limiter"]


def test_memory_is_limited_before_anything_else(configuration: Json) -> None:
    assert all(pipeline["processors"][0] == "memory_limiter" for pipeline in pipelines(configuration).values())


def test_whole_traces_go_to_one_gateway_and_are_judged_there() -> None:
    assert "tail_sampling" not in CONFIGURATIONS["agent"]["processors"]
    assert CONFIGURATIONS["agent"]["exporters"]["load_balancing"]["routing_key"] == "traceID"
    for name, configuration in CONFIGURATIONS.items():
        if name.startswith("gateway"):
            assert pipelines(configuration)["traces"]["processors"] == ["memory_limiter", "tail_sampling"], name


def test_runs_with_errors_and_slow_ones_are_kept_and_a_share_of_the_rest() -> None:
    policies = CONFIGURATIONS["gateway and files"]["processors"]["tail_sampling"]["policies"]
    assert [policy["type"] for policy in policies] == ["status_code", "latency", "probabilistic"]
    assert policies[0]["status_code"]["status_codes"] == ["ERROR"]


def test_no_batch_is_larger_than_its_receiver_takes_and_none_too_small_for_one_item() -> None:
    # What is larger than a batch may be is dropped by the collector, not sent alone.
    for name, configuration in CONFIGURATIONS.items():
        for exporter, queue in queues(configuration):
            if "batch" in queue:
                assert queue["batch"]["max_size"] > AOTEL_REQUEST, (name, exporter)
    gateway = CONFIGURATIONS["gateway and files"]
    received = gateway["receivers"]["otlp"]["protocols"]["grpc"]["max_recv_msg_size_mib"] << 20
    assert CONFIGURATIONS["agent"]["exporters"]["otlp_grpc"]["sending_queue"]["batch"]["max_size"] <= received // 2
    assert gateway["exporters"]["otlp_grpc/phoenix"]["sending_queue"]["batch"]["max_size"] < GRPC_LIMIT
    kafka = CONFIGURATIONS["gateway and Kafka"]["exporters"]["kafka"]
    assert kafka["sending_queue"]["batch"]["max_size"] < kafka["producer"]["max_message_bytes"]


def test_every_store_gets_envelopes_and_spans_and_phoenix_stays() -> None:
    for name, configuration in CONFIGURATIONS.items():
        if name.startswith("gateway"):
            spans, envelopes = (pipelines(configuration)[signal]["exporters"] for signal in ("traces", "logs"))
            assert "otlp_grpc/phoenix" in spans, name
            assert len(spans) == 2, name
            assert "otlp_grpc/phoenix" not in envelopes, name


def test_secrets_come_from_the_environment(configuration: Json) -> None:
    secret = ("password", "username", "authorization", "key_file")
    planted = [(path, value) for path, value in settings(configuration) if path.rpartition(".")[2] in secret]
    assert planted
    assert not [(path, value) for path, value in planted if "${env:" not in str(value)]


def test_variables_are_documented_and_no_others() -> None:
    shown = [text(name) for name in FILES] + [more for _, more in additions().values()]
    assert {name for one in shown for name in variables(one)} == documented()


def test_hosts_and_gateways_listen_where_they_should() -> None:
    agent = CONFIGURATIONS["agent"]["receivers"]["otlp"]["protocols"]
    assert all(options["endpoint"].startswith("127.0.0.1:") for options in agent.values())
    gateway = CONFIGURATIONS["gateway and files"]["receivers"]["otlp"]["protocols"]["grpc"]
    assert set(gateway["tls"]) == {"cert_file", "key_file", "client_ca_file"}


@pytest.mark.parametrize("name", [*FILES, BUILDER])
def test_files_say_what_they_are(name: str) -> None:
    assert text(name).startswith("# ")
    assert yaml.safe_load(text(name))
