"""Square: payments, what was bought with them, and their refunds.

A payment and its refunds are one document; what was bought comes from the payment's order.
"""

from adapters.square.adapter import ADAPTER as ADAPTER
