"""Translates what hotel, till and web-shop systems send into documents, and posts them by gRPC.

Each system is one module: verify the sender, keep the message in an inbox, make the canonical
document, call the ledger as any other client would. Nothing here may import the ledger itself.
"""
