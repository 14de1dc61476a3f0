"""For tests of programs that use aotel: everything emitted inside a block, decoded, without network."""

from aotel.testing.recorders import RecordedEnvelopes, RecordedSpans, record_envelopes, record_spans

__all__ = ["RecordedEnvelopes", "RecordedSpans", "record_envelopes", "record_spans"]
