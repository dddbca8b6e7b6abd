"""Worked stories as tables in words, told to a whole ledger on a real database."""
