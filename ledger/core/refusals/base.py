"""What every refusal has, and advice that several of them give."""

import re
from dataclasses import dataclass
from dataclasses import fields as dataclass_fields
from typing import ClassVar, Final, Self

ASK_AGAIN: Final = "Send the same request again after a short wait; its request_id makes that safe."
MEND: Final = "Correct the named field and send it again."


@dataclass(eq=False, kw_only=True)
class Refusal(Exception):
    """An expected no. `str()` of it is one English sentence."""

    reason: ClassVar[str]
    """The class's name in UPPER_SNAKE."""
    advice: ClassVar[str]
    sentence: ClassVar[str]

    def __init_subclass__(cls) -> None:
        if not cls.__name__.startswith("_"):
            cls.reason = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).upper()

    @property
    def fields(self) -> dict[str, str | int]:
        """What the caller needs to act on it, by name; what is not known is left out."""
        given = {item.name: getattr(self, item.name) for item in dataclass_fields(self)}
        return {name: value for name, value in given.items() if value != ""}

    def as_answer(self) -> Self:
        """Itself, without where it was raised.

        Those frames hold all that a batch made, and what holds the refusal: reference counts would
        free neither.
        """
        self.__traceback__ = self.__context__ = None
        return self

    @property
    def may_pass(self) -> bool:
        """Whether the same request may succeed later by itself: it is no last word."""
        return self.advice == ASK_AGAIN

    def __str__(self) -> str:
        return self.sentence.format_map(vars(self))
