"""POSLog: what tills write down of a day, as NRF/ARTS files. A ticket and what came back of it are
one document.
"""

from adapters.poslog.adapter import ADAPTER as ADAPTER
