"""Instrumentors of LLM SDKs: every call to them is a span with all that GenAI can say of it, and nothing else changes.

A new SDK is one file here, with a `LibraryInstrumentor`; a new API that SDKs speak is one file in `formats`.
"""

from __future__ import annotations

from aotel.instrumentation.switch import instrument, instrumented, supported, uninstrument

__all__ = ["instrument", "instrumented", "supported", "uninstrument"]
