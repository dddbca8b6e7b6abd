"""Real programmes, written as policies, and the cases that their published rules give."""
