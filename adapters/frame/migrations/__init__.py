"""The schema of the adapters' tables, step by step; `loyalty adapter migrate` runs them."""
