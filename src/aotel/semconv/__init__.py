"""The vocabulary: attributes, operations, kinds and environment variables, generated from `semconv/registry`."""
