"""Youzan (有赞): trades and refunds of shops, pushed. A trade and its refunds are one document."""

from adapters.youzan.adapter import ADAPTER as ADAPTER
