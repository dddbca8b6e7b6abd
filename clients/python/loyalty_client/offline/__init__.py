"""For tills whose line comes and goes: a durable queue, and points to spend while it is away."""

from loyalty_client.offline.allowances import Allowance as Allowance
from loyalty_client.offline.errors import AllowanceOver as AllowanceOver
from loyalty_client.offline.errors import BeyondAllowance as BeyondAllowance
from loyalty_client.offline.errors import OtherContent as OtherContent
from loyalty_client.offline.errors import QueueError as QueueError
from loyalty_client.offline.errors import QueueUnusable as QueueUnusable
from loyalty_client.offline.errors import TokenChanged as TokenChanged
from loyalty_client.offline.errors import UnknownAllowance as UnknownAllowance
from loyalty_client.offline.queue import OfflineQueue as OfflineQueue
from loyalty_client.offline.queue import Progress as Progress
from loyalty_client.offline.uploads import State as State
from loyalty_client.offline.uploads import Upload as Upload
