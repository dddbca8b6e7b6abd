"""The whole ledger against a model that a clerk could keep with paper and pencil."""
