"""The composition root: gRPC servicers, configuration, command line, embedded database."""

import os

# We fork only to start other programs, the embedded PostgreSQL among them; gRPC's handlers for a
# fork that goes on using gRPC crash the child now and then. Read when grpc is imported.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "false")
