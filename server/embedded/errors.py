"""What can go wrong with the embedded database."""


class EmbeddedError(Exception):
    """The embedded PostgreSQL cannot be used; says what to do about it."""

    def __init__(self, problem: str, *, advice: str) -> None:
        """Keep what is wrong and what the operator can do about it."""
        super().__init__(f"{problem}. {advice}")
        self.problem = problem
        self.advice = advice
