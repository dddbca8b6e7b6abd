"""The contract of the loyalty ledger: generated protobuf and gRPC stubs."""
