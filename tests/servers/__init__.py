"""Servers for tests: a pod's socket and OTLP receivers, real ones on loopback, with every fault a client can meet.

Each is a context manager, ends with its `with` block, and by itself after a minute if a test forgets it:

    with PodServer(tmp_path, replies=["rate_limited", "ok"]) as pod:
        ...
        assert pod.wait_for(2)[0]["kind"] == "agent.tool.call"

    with OtlpReceiver() as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.endpoint)
        ...
        assert [span.name for span in receiver.wait_for_spans(1)] == ["write_file"]
"""

from tests.servers.otlp import BlackHole, OtlpHttpReceiver, OtlpReceiver
from tests.servers.pod import PodServer
from tests.servers.received import ReceivedLogRecord, ReceivedSpan

__all__ = ["BlackHole", "OtlpHttpReceiver", "OtlpReceiver", "PodServer", "ReceivedLogRecord", "ReceivedSpan"]
