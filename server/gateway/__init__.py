"""JSON over HTTP for callers without gRPC: strict on what comes in, and a client of the service."""
