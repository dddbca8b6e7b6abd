"""OTA and HTNG: what hotel systems say of stays that are over, and of bookings.

Every folio of a stay is one document, told whole each time; nights and stay count with the first.
"""

from adapters.ota.adapter import ADAPTER as ADAPTER
