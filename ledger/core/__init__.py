"""The functional core: pure, synchronous, no clock, no input or output."""
