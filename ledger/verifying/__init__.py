"""Verifying: the recorded history held against itself, fact by fact, and against the rules.

`verify` reads the log once; `trial` folds each account again and asks `books`, one module for each
subject, which keep account beside the fold and say what does not fit as `findings`.
"""
