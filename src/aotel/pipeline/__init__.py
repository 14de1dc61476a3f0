"""From spans to delivered envelopes: the processor, the worker, and how they attach to a provider."""

from aotel.pipeline.journaling import Durability
from aotel.pipeline.pipeline import Pipeline
from aotel.pipeline.processor import AOTSpanProcessor
from aotel.pipeline.provider import attach, make_provider
from aotel.pipeline.sampling import AuditSampler, reads_attributes

__all__ = ["AOTSpanProcessor", "AuditSampler", "Durability", "Pipeline", "attach", "make_provider", "reads_attributes"]
