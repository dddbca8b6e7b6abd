"""Toast: orders of restaurants by signed webhooks. A check is one document, with what came back."""

from adapters.toast.adapter import ADAPTER as ADAPTER
