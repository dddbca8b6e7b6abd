"""Tests of evaluation over many documents at once."""
