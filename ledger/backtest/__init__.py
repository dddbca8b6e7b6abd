"""Backtests: a draft policy over recorded history, and what would have been different.

`export` writes the history of a ledger as a Parquet file, `history` reads such files chunk by
chunk, `trial` evaluates the draft over them, and `report` says what came of it. Only this package
needs pyarrow and polars; nothing that serves calls imports it.
"""
