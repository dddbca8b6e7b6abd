"""Shopify: orders and their refunds, by signed webhooks that carry everything.

An order and its refunds are one document: net lines, whose version rises with `updated_at`.
"""

from adapters.shopify.adapter import ADAPTER as ADAPTER
