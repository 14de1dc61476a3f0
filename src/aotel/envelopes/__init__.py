"""The AOT envelope: what one says, how it is made of a span, and how it travels to a pod."""

from aotel.envelopes.builder import EnvelopeBuilder
from aotel.envelopes.model import Envelope
from aotel.envelopes.producer import PRODUCER
from aotel.envelopes.recording import Recording

__all__ = ["PRODUCER", "Envelope", "EnvelopeBuilder", "Recording"]
