"""The outbox: what changes for a member in the ledger is told to those who subscribed to it.

A follower marks whose account changed, a drafter says what is to be told, a sender tells it. Each
subscription has its own, so that one receiver that is down keeps nobody else waiting.
"""
