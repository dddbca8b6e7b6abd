"""The composition root: gRPC servicers, configuration, command line, embedded database."""
