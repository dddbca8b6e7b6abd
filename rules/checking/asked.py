"""What documents and lines a rule can be for, as sets of bits: one set for each thing asked.

Rules are compared in pairs, so a pair must cost a few operations on whole numbers, however many
units, words and categories the two rules name. A set is never too small: what it leaves out, the
rule cannot be for.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from functools import reduce
from operator import and_, or_
from types import MappingProxyType

from rules.checking.subject import Subject
from rules.model import ACTIVITIES, BaseRule, EarnRule, When

Bits = int
"""A set of numbers: bit n stands for n."""
ANY: Bits = -1
"""The set of everything, those included that have no number yet."""
Asked = Mapping[str, Bits]
"""The key of a condition to the values that can meet it; a key that is missing: any."""

PURCHASES = ("sale", "order", "stay", "folio")
_WORDS = ("business_unit", "channel", "store", "kind", "tier")
_LINES = ("brand", "sku")
_PLAIN = frozenset(
    {"business_unit", "channel", "store", "kind", "tier", "category", "category_not"}
)
"""Keys whose sets are exactly what meets them."""
WORDS_OF = MappingProxyType(
    {
        "business_unit": "business unit",
        "channel": "channel",
        "store": "store",
        "kind": "kind of document",
        "tier": "tier",
        "brand": "brand",
        "sku": "article",
        "category": "earning category",
        "weekday": "day of the week",
    }
)


class Numbers:
    """Gives every word its bit."""

    def __init__(self, words: Iterable[str] = ()) -> None:
        self._numbers = {word: number for number, word in enumerate(words)}

    def bits(self, words: Iterable[str]) -> Bits:
        """Make the set of these words."""
        found = 0
        for word in words:
            found |= 1 << self._numbers.setdefault(word, len(self._numbers))
        return found

    @property
    def all(self) -> Bits:
        """The set of every word known so far."""
        return (1 << len(self._numbers)) - 1


class Reader:
    """Reads conditions into sets."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        model = subject.model
        self.numbers = {
            "business_unit": Numbers(unit.id for unit in model.business_units),
            "channel": Numbers(),
            "store": Numbers(),
            "kind": Numbers((*PURCHASES, *ACTIVITIES, *model.activities)),
            "tier": Numbers(tier.id for tier in model.tiers.ladder) if model.tiers else Numbers(),
            "brand": Numbers(),
            "sku": Numbers(),
            "weekday": Numbers(("mon", "tue", "wed", "thu", "fri", "sat", "sun")),
        }
        # What is known to have no other values: nothing outside of it can be met.
        self.whole = {
            key: self.numbers[key].all for key in ("business_unit", "kind", "tier", "weekday")
        }
        if not model.tiers:
            del self.whole["tier"]
        self.categories = _Categories(subject)
        self.whole["category"] = self.categories.all
        self._purchases = self.numbers["kind"].bits(PURCHASES)

    def rule(self, rule: EarnRule) -> dict[str, Bits]:
        """Say what a rule can be for, with the conditions of its campaign."""
        whens = self._subject.whens(rule)
        asked = reduce(met, map(self.when, whens), dict(self.whole))
        if not any(map(asks_for_activity, whens)):
            asked = met(asked, {"kind": self._purchases})
        codes = {
            amount.currency_code
            for when in whens
            for amount in (when.basket_min, when.line_min)
            if amount is not None and amount.currency_code is not None
        }
        for code in codes:
            fitting = [u.id for u in self._subject.model.business_units if u.currency == code]
            asked = met(asked, {"business_unit": self.numbers["business_unit"].bits(fitting)})
        return asked

    def when(self, when: When) -> dict[str, Bits]:
        """Say what can meet some conditions."""
        asked = self._own(when)
        for inner in when.all:
            asked = met(asked, self.when(inner))
        if when.any:
            choices = [self.when(choice) for choice in when.any]
            possible = [one for one in choices if all(one.values())] or choices
            shared = reduce(and_, (frozenset(one) for one in possible))
            asked = met(asked, {key: reduce(or_, (one[key] for one in possible)) for key in shared})
        for unwanted in when.none:
            given = keys_said(unwanted)
            if len(given) == 1 and given <= _PLAIN:
                refused = self._own(unwanted)
                asked = met(asked, {key: ~bits for key, bits in refused.items()})
        return asked

    def _own(self, when: When) -> dict[str, Bits]:
        asked: dict[str, Bits] = {}
        for key in (*_WORDS, *_LINES):
            words = getattr(when, key)
            if words:
                fold = key in ("channel", "kind")
                folded = [word.lower() for word in words] if fold else words
                asked[key] = self.numbers[key].bits(folded)
        if when.activity:
            asked = met(asked, {"kind": self.numbers["kind"].bits(when.activity)})
        for key, words in (("brand", when.brand_not), ("sku", when.sku_not)):
            if words:
                asked = met(asked, {key: ~self.numbers[key].bits(words)})
        if when.category or when.category_not:
            asked["category"] = self.categories.fitting(when.category, when.category_not)
        window = when.window
        if window is not None and window.weekdays and window.local_time is None:
            asked["weekday"] = self.numbers["weekday"].bits(window.weekdays)
        return asked

    def exact(self, rule: EarnRule) -> bool:
        """Say whether all that is in a rule's sets meets its conditions, so that it counts."""
        plain = all(keys_said(when) <= _PLAIN for when in self._subject.whens(rule))
        by_nights = isinstance(rule, BaseRule) and rule.rate.per_nights is not None
        return plain and rule.campaign is None and not by_nights


_NOTHING = When()


def keys_said(when: When) -> frozenset[str]:
    """Name the keys that ask something; one that is written out as its default does not."""
    return frozenset(
        key for key in When.model_fields if getattr(when, key) != getattr(_NOTHING, key)
    )


def asks_for_activity(when: When) -> bool:
    """Say whether conditions ask for an activity, and not for a purchase."""
    return bool(when.activity) or any(map(asks_for_activity, (*when.all, *when.any)))


def met(one: Asked, other: Asked) -> dict[str, Bits]:
    """Keep what can meet both."""
    return {key: one.get(key, ANY) & other.get(key, ANY) for key in (*one, *other)}


def can_meet(one: Asked, other: Asked) -> bool:
    """Say whether one line of one document could satisfy both."""
    # Written out, because large policies ask it for every pair of their rules.
    for key, bits in one.items():  # noqa: SIM110 - as said
        if not bits & other.get(key, ANY):
            return False
    return True


class Within:
    """Answers of many rules whether they lie within one."""

    def __init__(self, wide: Asked, whole: Asked) -> None:
        # Everything lies within what leaves nothing out.
        self._outside = tuple(
            (key, ~bits) for key, bits in wide.items() if bits != whole.get(key, ANY)
        )

    def holds(self, narrow: Asked) -> bool:
        """Say whether all that satisfies `narrow` satisfies the wide one."""
        for key, outside in self._outside:  # noqa: SIM110 - as above
            if narrow.get(key, ANY) & outside:
                return False
        return True


class _Categories:
    """The categories that earn and tell the rules apart: listed, named by a rule, any other."""

    def __init__(self, subject: Subject) -> None:
        listed = {entry.id: entry.earns for entry in subject.model.categories}
        whens = [part for _, part in subject.parts if isinstance(part, When)]
        named = {pattern for when in whens for pattern in (*when.category, *when.category_not)}
        below = {f"{pattern[:-1]}other" for pattern in named if pattern.endswith("/*")}
        exact = {pattern for pattern in named if not pattern.endswith("/*")}
        unlisted = subject.model.unlisted_categories == "earn"
        candidates = {*listed, *below, *exact, *(("any-other",) if unlisted else ())}
        # Sorted, so that all that is below a category stands together.
        earning = {name for name in candidates if _earns(name, listed, unlisted)}
        self._names: list[str] = sorted(earning)
        self._remembered: dict[str, Bits] = {}
        self.all: Bits = (1 << len(self._names)) - 1

    def fitting(self, wanted: Iterable[str], unwanted: Iterable[str]) -> Bits:
        """Find the earning categories that patterns let through."""
        patterns = tuple(wanted)
        found = reduce(or_, map(self._one, patterns), 0) if patterns else self.all
        return found & ~reduce(or_, map(self._one, unwanted), 0)

    def name(self, bits: Bits) -> str:
        """Name the first category of a set."""
        return self._names[(bits & -bits).bit_length() - 1]

    def _one(self, pattern: str) -> Bits:
        found = self._remembered.get(pattern)
        if found is None:
            found = self._remembered[pattern] = self._fitting(pattern)
        return found

    def _fitting(self, pattern: str) -> Bits:
        """Find the names that a pattern means: one, or with `/*` the run of those below it."""
        names = self._names
        if pattern.endswith("/*"):
            # "0" is the character after "/", so the run ends before it.
            first, end = bisect_left(names, pattern[:-1]), bisect_left(names, f"{pattern[:-2]}0")
            return (1 << end) - (1 << first)
        number = bisect_left(names, pattern)
        return 1 << number if number < len(names) and names[number] == pattern else 0


def _earns(name: str, listed: Mapping[str, bool], unlisted: bool) -> bool:
    """Say whether a category earns, as its nearest listed ancestor does."""
    while name not in listed:
        name, slash, _ = name.rpartition("/")
        if not slash:
            return unlisted
    return listed[name]
