"""WooCommerce: orders by signed webhooks, their refunds fetched, because an order tells only sums.

An order and its refunds are one document. What a refund took from which line is asked of the shop's
REST API; without keys for it, its amount is spread over the lines.
"""

from adapters.woocommerce.adapter import ADAPTER as ADAPTER
