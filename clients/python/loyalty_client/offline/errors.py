"""What a queue says no to by itself, without asking the ledger."""


class QueueError(Exception):
    """A no of the queue; nothing was written. `str()` of it is one English sentence."""


class QueueUnusable(QueueError):
    """The file cannot be used."""


class OtherContent(QueueError):
    """The request_id or hold_id is in the queue already, with other content."""


class TokenChanged(QueueError):
    """A write may have reached the ledger under another token.

    Request ids are kept for each client of the ledger, so under this one it might count twice.
    """


class UnknownAllowance(QueueError):
    """No such allowance was taken with this queue."""


class AllowanceOver(QueueError):
    """The allowance was ended, has passed its time, or is not answered yet."""


class BeyondAllowance(QueueError):
    """More was to be spent than the allowance has left."""

    def __init__(self, *, left: int, requested: int) -> None:
        """Tell what is left."""
        super().__init__(f"{requested} points are more than the {left} left of the allowance")
        self.left = left
        self.requested = requested
