"""What is kept of a stay or booking, and the settings of a connection."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from adapters.frame.fields import Amount, Id, Sent, Word
from adapters.frame.mapping import Row

Codes = tuple[Annotated[str, Field(min_length=1, max_length=64)], ...]


class Settings(Row):
    """Settings of a connection to a hotel system."""

    programs: Codes = ()
    """ProgramID of memberships that are ours; empty: any."""
    totals: Codes = ("17",)
    """RevenueCategoryCode of sums over all categories: compared, never counted."""
    taxes: Codes = ("12",)
    """RevenueCategoryCode of taxes: they are nothing to earn on."""
    total_mismatch: Literal["report", "park"] = "report"
    """Lines that do not add up to the total: post and report it, or wait for a better message."""
    rooms_max: Annotated[int, Field(ge=1, le=99)] = 1
    """How many rooms count nights on one date."""
    bookings: Literal["ignore", "pending"] = "ignore"
    """Bookings are nothing, or pending stays that the stay itself replaces."""


class Revenue(Sent):
    """One line of a folio."""

    category: Id
    """RevenueCategoryCode."""
    pms: Word = ""
    """PMSRevenueCode: the hotel system's own, closer word."""
    day: Word = ""
    amount: Amount
    currency: Word = ""


class Guest(Sent):
    """Whose stay it is."""

    memberships: tuple[tuple[str, str], ...] = ()
    """Programme and number, in the order of the message."""
    email: Word = ""
    profile: Word = ""

    def known(self, programs: Codes) -> Mapping[str, str]:
        """By what the guest is known."""
        ours = (number for program, number in self.memberships if _is_ours(program, programs))
        return {"membership": next(ours, ""), "email": self.email, "profile": self.profile}


def _is_ours(program: str, programs: Codes) -> bool:
    return not programs or program in programs


class Stay(Sent):
    """A folio of a stay, or a booking."""

    chain: Word = ""
    hotel: Id
    reservation: Id
    folio: Word = ""
    sent: Word
    """TimeStamp of the message; without an offset it is local time of the hotel."""
    created: Word = ""
    """When a booking was made; empty: not told."""
    status: Word = ""
    departure: Word = ""
    """The day after the last night; empty: not told."""
    nights: Annotated[int, Field(ge=0, le=999)] = 0
    stays: Annotated[int, Field(ge=0, le=1)] = 0
    """Nights and stay count with one folio of several."""
    lines: tuple[Revenue, ...] = ()
    guest: Guest = Guest()
    mismatch: Word = ""
    """How the lines differ from the total that the message tells; empty: they do not."""
