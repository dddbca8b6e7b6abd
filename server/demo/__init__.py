"""The demonstration: a year of a group's real transactions through a fresh ledger, then proven."""
