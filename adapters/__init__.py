"""Adapters: what hotel systems, tills and web shops send, as calls of the contract.

Every module in this package is one source system; the frame that carries them all is the package
`adapters.frame`. How a system is added stands in docs/adapters/adding.md.
"""
