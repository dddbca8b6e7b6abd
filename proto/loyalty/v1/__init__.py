"""Version 1 of the contract; written by proto/generate.py from the .proto files beside it."""
