"""How the good payload of each system is made bad: one module for each, and what they share."""
