"""How the rules say no: to a policy document, or to a question put to a policy."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType
from typing import Literal

Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One remark of the publish check. `line` counts from 1; 0 when the place is not known."""

    path: str
    message: str
    severity: Severity = "error"
    line: int = 0

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class PolicyRefused(Exception):
    """The policy document cannot be compiled; `findings` say where and why, errors first."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(str(one) for one in self.findings if one.severity == "error"))


Reason = Literal[
    "UNKNOWN_BUSINESS_UNIT",
    "UNKNOWN_CATEGORY",
    "UNKNOWN_CURRENCY",
    "CURRENCY_MISMATCH",
    "RATE_MISSING",
    "NOT_REDEEMABLE",
    "UNKNOWN_REWARD",
    "UNKNOWN_ACTIVITY",
    "UNKNOWN_PAYMENT",
    "UNKNOWN_CONVERSION",
    "UNKNOWN_REASON",
    "UNKNOWN_FUNDER",
    "NOT_FOR_TIER",
    "NOT_NOW",
    "NO_RELATION",
    "ACCOUNT_TOO_YOUNG",
    "BELOW_MINIMUM",
    "NOT_A_STEP",
    "ABOVE_MAXIMUM",
    "LIMIT_REACHED",
    "AMOUNT_TOO_LARGE",
    "TIME_OUT_OF_RANGE",
]

NO_BOUNDS: Mapping[str, int | str] = MappingProxyType({})


class RulesRefusal(Exception):
    """A question the policy cannot answer: `path` names the field, `known` the alternatives.

    `bounds` are the numbers that what was asked is held against: minimum, limit, used.
    """

    def __init__(
        self,
        reason: Reason,
        *,
        path: str,
        value: str,
        known: Iterable[str] = (),
        bounds: Mapping[str, int | str] = NO_BOUNDS,
    ) -> None:
        self.reason: Reason = reason
        self.path = path
        self.value = value
        self.known = tuple(sorted(known))
        self.bounds = bounds
        told = "".join(f", {name} {bound}" for name, bound in bounds.items())
        super().__init__(f"{path}: {reason} {value!r}{told}{alternatives(value, self.known)}")


_COMPARED_MAX = 200
"""Names that a wrong one is compared with: comparing is slow, and there may be thousands."""


def alternatives(value: str, known: Iterable[str]) -> str:
    """Say what could have been meant: ` (known: a, b; did you mean 'a'?)`, or nothing."""
    names = sorted(known)
    if not names:
        return ""
    shown = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
    # Who mistypes a name mostly gets its beginning right, so its neighbours are compared.
    first = max(0, bisect_left(names, value) - _COMPARED_MAX // 2)
    close = get_close_matches(value, names[first : first + _COMPARED_MAX], n=1)
    return f" (known: {shown}; did you mean {close[0]!r}?)" if close else f" (known: {shown})"
