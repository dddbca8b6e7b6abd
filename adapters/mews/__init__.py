"""Mews: stays by thin webhooks, with their order items fetched; bills of outlets; memberships."""

from adapters.mews.adapter import ADAPTER as ADAPTER
