"""Tests of the benchmark: that it measures what it says, without measuring anything."""
