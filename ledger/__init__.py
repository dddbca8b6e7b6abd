"""The write side: pure core, store and writer."""
