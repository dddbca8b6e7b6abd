"""What is asked of a ledger and records nothing: always from the store, never from a projection."""
