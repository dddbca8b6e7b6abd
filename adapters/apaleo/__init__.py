"""Apaleo: stays by thin webhooks, with reservation and folios fetched."""

from adapters.apaleo.adapter import ADAPTER as ADAPTER
