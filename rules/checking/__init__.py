"""Publish checks: what is wrong with a policy document, said like a good compiler says it."""
