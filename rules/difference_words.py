"""What follows from a change of a policy, in English and Chinese, where it can be said."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal

from rules.difference_choices import CHOICES
from rules.model import When
from rules.money import parse_amount

Language = Literal["en", "zh"]
Json = object


@dataclass(frozen=True, slots=True)
class Remark:
    """What follows from a change: a sentence of `_SENTENCES`, and the number in it, of `unit`."""

    sentence: str
    number: Fraction
    unit: str = ""


_SENTENCES: Final = {
    "money": ("{times} as many points for the same money", "同样的金额得到 {times}的积分"),
    "quantity": ("{times} as many points for the same quantity", "同样的数量得到 {times}的积分"),
    "nights": ("{times} as many points for the same nights", "同样的晚数得到 {times}的积分"),
    "points": ("{times} as many points", "积分为原来的 {times}"),
    "excess": (
        "adds {times} as much to the base points",
        "在基础积分之上增加的积分为原来的 {times}",
    ),
    "worth": ("a point is worth {times} as much there", "每个积分在那里的价值为原来的 {times}"),
    "need": ("{times} as much is needed", "所需为原来的 {times}"),
    "budget": ("{times} as many points may be given", "可以发放的积分为原来的 {times}"),
    "longer": ("{number} longer", "延长 {number}"),
    "shorter": ("{number} shorter", "缩短 {number}"),
    "more": ("{number} more", "增加 {number}"),
    "less": ("{number} less", "减少 {number}"),
    "any": ("now any", "不再限制"),
    "only": ("now these only", "仅限这些"),
    **{
        f"{key}: {choice}": words
        for key, choices in CHOICES.items()
        for choice, words in choices.items()
    },
}
_UNITS: Final = {"months": "个月", "days": "天", "hours": "小时", "points": "积分", "": ""}
_ASKS_NOTHING: Final = frozenset(When.model_fields) - {"category_not", "brand_not", "sku_not"}
"""Keys whose empty list means anything."""
_TIMES: Final = {
    Fraction(2): "twice",
    Fraction(3): "three times",
    Fraction(4): "four times",
    Fraction(1, 2): "half",
    Fraction(1, 3): "a third",
    Fraction(1, 4): "a quarter",
}


def says(
    path: str,
    before: str | None,
    after: str | None,
    title: str,
    remark: Remark | None,
    language: Language,
) -> str:
    """Say one change as a line."""
    chinese = language == "zh"
    name = f" ({title})" if title else ""
    if before is None:
        what = f"{'新增' if chinese else 'added'} {after}"
    elif after is None:
        what = f"{'删除' if chinese else 'removed'} {before}"
    else:
        what = f"{before} → {after}"
    line = f"{path}{name}: {what}"
    return line if remark is None else f"{line}: {_sentence(remark, language)}"


def _sentence(remark: Remark, language: Language) -> str:
    english, chinese = _SENTENCES[remark.sentence]
    number = decimal(remark.number)
    if language == "zh":
        amount = f"{number} {_UNITS[remark.unit]}".rstrip()
        return chinese.format(times=f"{number} 倍", number=amount)
    unit = remark.unit.removesuffix("s") if remark.number == 1 else remark.unit
    times = _TIMES.get(remark.number) or f"{number} times"
    return english.format(times=times, number=f"{number} {unit}".rstrip())


def decimal(value: Fraction) -> str:
    """Write a ratio as people read it; what is no short decimal is rounded to three digits."""
    thousandths = round(value * 1000)
    whole, rest = divmod(thousandths, 1000)
    about = "" if Fraction(thousandths, 1000) == value else "≈ "
    return about + (f"{whole}.{rest:03}".rstrip("0") if rest else str(whole))


def remark(path: tuple[str, ...], old: Json, new: Json) -> Remark | None:
    """Find what follows when the value at `path` changes; None when nothing simple does."""
    if old is None or new is None:
        return None
    within, key = (step.partition("[")[0] for step in ("", "", *path)[-2:])
    for name in (f"{within}.{key}", key):
        if name in _KNOWN:
            return _KNOWN[name](old, new)
        if isinstance(new, str) and new in CHOICES.get(name, ()):
            return Remark(f"{name}: {new}", Fraction(1))
    return None


def widened(path: tuple[str, ...], old: list[Json], new: list[Json]) -> Remark | None:
    """Say what a list that is now empty, or no longer is, means: an empty one asks nothing."""
    key = path[-1].partition("[")[0]
    if key not in _ASKS_NOTHING or bool(old) == bool(new):
        return None
    return Remark("only" if new else "any", Fraction(1))


def _rate(old: Json, new: Json) -> Remark | None:
    """Compare two rates that are per the same thing."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return None
    for key, sentence in (("per", "money"), ("per_quantity", "quantity"), ("per_nights", "nights")):
        if old.get(key) is not None and new.get(key) is not None:
            (one, code), (other, another) = _amount(old[key]), _amount(new[key])
            if code != another or not one or not other:
                return None
            was, is_ = Fraction(old["points"]) / one, Fraction(new["points"]) / other
            return None if was == is_ else Remark(sentence, is_ / was)
    return None


def _amount(value: Json) -> tuple[Fraction, str | None]:
    amount = parse_amount(str(value))
    return amount.decimal, amount.currency_code


def _times(sentence: str, *, less: int = 0) -> Callable[[Json, Json], Remark | None]:
    """Compare two numbers by their ratio, both without `less`."""

    def compared(old: Json, new: Json) -> Remark | None:
        was, is_ = Fraction(str(old)) - less, Fraction(str(new)) - less
        return Remark(sentence, is_ / was) if was > 0 and is_ > 0 else None

    return compared


def _worth(old: Json, new: Json) -> Remark | None:
    (was, code), (is_, another) = _amount(old), _amount(new)
    return Remark("worth", is_ / was) if was and code == another else None


def _by(up: str, down: str, unit: str = "") -> Callable[[Json, Json], Remark | None]:
    """Compare two whole numbers by how far they are apart."""

    def compared(old: Json, new: Json) -> Remark | None:
        if not isinstance(old, int) or not isinstance(new, int):
            return None
        return Remark(up if new > old else down, Fraction(abs(new - old)), unit)

    return compared


_KNOWN: Final[dict[str, Callable[[Json, Json], Remark | None]]] = {
    "earn.rate": _rate,
    "earn.factor": _times("excess", less=1),
    "earn.points": _times("points"),
    "budgets.points": _times("budget"),
    "caps.points": _times("budget"),
    "rewards.points": _times("need"),
    "point_value": _worth,
    "prices.price": _worth,
    "at_least": _times("need"),
    "months": _by("longer", "shorter", "months"),
    "days": _by("longer", "shorter", "days"),
    "after": _by("longer", "shorter"),
    "hard_months": _by("longer", "shorter", "months"),
    "pending_days": _by("longer", "shorter", "days"),
    "timeout_hours": _by("longer", "shorter", "hours"),
    "grace_days": _by("longer", "shorter", "days"),
    "valid_days": _by("longer", "shorter", "days"),
    "claim_days": _by("longer", "shorter", "days"),
    "lateness_days": _by("longer", "shorter", "days"),
    "min_points": _by("more", "less", "points"),
    "max_points": _by("more", "less", "points"),
}
"""The key, with its section where it means several things, to what its change amounts to."""
