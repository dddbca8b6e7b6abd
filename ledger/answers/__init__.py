"""What the ledger knows, as callers see it: messages of the contract, and words for people."""
