"""Tests, named as sentences; those that need a database run against a real PostgreSQL."""
