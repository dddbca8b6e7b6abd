"""Tests of drafts over recorded history."""
