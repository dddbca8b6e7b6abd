"""OPERA Cloud: stays and profiles by its business events, and the calls it makes to the programme.

A stay is one document, once its guest has left and its folio is settled.
"""

from adapters.opera.adapter import ADAPTER as ADAPTER
