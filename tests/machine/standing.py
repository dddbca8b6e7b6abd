"""The clerk's notes on who takes part: open, suspended, closed, or nobody's any more."""

from tests.machine.books import Books, No


class Standing(Books):
    """What a member may not do who is suspended, closed or erased; merged ones are one member."""

    def __init__(self) -> None:
        super().__init__()
        self.standing: dict[str, str] = {}
        """suspended or closed, by account; whoever is not here is open."""
        self.erased: set[str] = set()
        """Accounts that are nobody's."""
        self.nameless: set[str] = set()
        """Who is known by no card any more."""

    def stands(self, member: str) -> tuple[str, bool]:
        """(suspended, closed or nothing; whether the account is nobody's)."""
        place = self.place(member)
        return self.standing.get(place, ""), place in self.erased

    def is_closed(self, member: str) -> bool:
        """Whether nothing that an account has can be spent."""
        return self.standing.get(self.place(member)) == "closed"

    def require_somebody(self, member: str) -> None:
        if self.place(member) in self.erased:
            raise No("ACCOUNT_ERASED")

    def require_not_closed(self, member: str) -> None:
        """Refuse what is no correction of something old."""
        self.require_somebody(member)
        if self.is_closed(member):
            raise No("ACCOUNT_CLOSED")

    def require_spending(self, member: str) -> None:
        """Refuse to let points go as a member wants, or to let them come from others."""
        self.require_not_closed(member)
        if self.standing.get(self.place(member)) == "suspended":
            raise No("ACCOUNT_SUSPENDED")

    def tick(self, member: str, now: int) -> None:
        """What can be spent in a closed account, whatever it came of, expires at once."""
        super().tick(member, now)
        if self.is_closed(member):
            for lot in self.lots_of(member):
                lot["expired"] += lot["free"]
                lot["free"] = 0

    def check(self) -> None:
        """Who is closed or erased has nothing to spend, and is in no pool."""
        super().check()
        for member in self.members:
            if self.is_closed(member):
                assert not any(lot["free"] for lot in self.lots_of(member))
            if self.is_closed(member) or self.place(member) in self.erased:
                assert not self.members[member]["pools"]
