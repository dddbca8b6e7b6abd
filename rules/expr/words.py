"""Say an expression as one plain sentence for a person, in English or Chinese.

The sentence explains; it is not read back. What is exact is the canonical text, `str(node)`.
"""

# ruff: noqa: RUF001 - Chinese sentences have Chinese brackets and commas.

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from rules.expr.nodes import (
    LINES,
    RELATIONS,
    Binary,
    Call,
    Choice,
    Flag,
    Items,
    Logic,
    Macro,
    Name,
    Node,
    Predicate,
    Text,
    Unary,
    Whole,
)
from rules.expr.syntax import parse

Language = Literal["en", "zh"]

_NAME_MAX: Final = 100_000
"""Characters of a predicate's name: canonical text, which may be longer than what was written."""


@dataclass(frozen=True, slots=True)
class _Tongue:
    """One language: `names` of values, `forms` of sentences by operator or function."""

    names: Mapping[str, str]
    forms: Mapping[str, str]
    plural: frozenset[str] = frozenset()
    """Names that take a plural verb."""


_ENGLISH: Final = _Tongue(
    names={
        "tx.unit": "the business unit",
        "tx.channel": "the channel",
        "tx.store": "the store",
        "tx.kind": "the kind of document",
        "tx.activity": "the activity",
        "tx.currency": "the currency",
        "tx.basket": "the basket in minor units",
        "tx.lines": "the number of lines",
        "tx.nights": "nights of the stay",
        "tx.stays": "stays",
        "tx.local_year": "the local year",
        "tx.local_month": "the local month",
        "tx.local_day": "the local day of the month",
        "tx.local_hour": "the local hour",
        "tx.local_minute": "the local minute",
        "tx.local_weekday": "the local weekday (1 is Monday)",
        "line.category": "its category",
        "line.brand": "its brand",
        "line.sku": "its SKU",
        "line.quantity_milli": "its quantity in thousandths",
        "line.net": "its net amount in minor units",
        "line.eligible": "its eligibility",
        "lines": "the lines",
        "member": "the member's {field}",
        "counter": "the counter {field}",
    },
    forms={
        "==": "{left} {be} {right}",
        "!=": "{left} {be} not {right}",
        "<": "{left} {be} less than {right}",
        "<=": "{left} {be} at most {right}",
        ">": "{left} {be} more than {right}",
        ">=": "{left} {be} at least {right}",
        "one of": "{left} {be} one of {right}",
        "in": "{left} {be} among {right}",
        "+": "{left} plus {right}",
        "-": "{left} minus {right}",
        "*": "{left} times {right}",
        "/": "the whole part of {left} divided by {right}",
        "%": "the remainder of {left} divided by {right}",
        "negative": "minus {one}",
        "!": "it is not so that {one}",
        "bare": "{one} {be} true",
        "&&": " and ",
        "||": " or ",
        "choice": "if {test}, then {then}, otherwise {otherwise}",
        "value choice": "{then} if {test}, otherwise {otherwise}",
        "size": "the size of {one}",
        "count": "the number of lines",
        "count of": "the number of lines for which {body}",
        "has": "{one} {be} known",
        "startsWith": "{left} begins with {right}",
        "endsWith": "{left} ends with {right}",
        "contains": "{left} contains {right}",
        "all": "for every line, {body}",
        "exists": "for some line, {body}",
        "exists_one": "for exactly one line, {body}",
        "true": "yes",
        "false": "no",
        "comma": ", ",
        "quotes": "“{one}”",
        "brackets": "({one})",
    },
    plural=frozenset({"tx.nights", "tx.stays"}),
)

_CHINESE: Final = _Tongue(
    names={
        "tx.unit": "业务单元",
        "tx.channel": "渠道",
        "tx.store": "门店",
        "tx.kind": "单据类型",
        "tx.activity": "活动",
        "tx.currency": "币种",
        "tx.basket": "消费金额（最小货币单位）",
        "tx.lines": "行数",
        "tx.nights": "入住晚数",
        "tx.stays": "入住次数",
        "tx.local_year": "当地年份",
        "tx.local_month": "当地月份",
        "tx.local_day": "当地日期（日）",
        "tx.local_hour": "当地小时",
        "tx.local_minute": "当地分钟",
        "tx.local_weekday": "当地星期（1 为星期一）",
        "line.category": "该行品类",
        "line.brand": "该行品牌",
        "line.sku": "该行商品编号",
        "line.quantity_milli": "该行数量（千分之一）",
        "line.net": "该行净额（最小货币单位）",
        "line.eligible": "该行可积分状态",
        "lines": "各行",
        "member": "会员的“{field}”",
        "counter": "计数器“{field}”",
    },
    forms={
        "==": "{left}等于 {right}",
        "!=": "{left}不等于 {right}",
        "<": "{left}小于 {right}",
        "<=": "{left}不超过 {right}",
        ">": "{left}大于 {right}",
        ">=": "{left}至少为 {right}",
        "one of": "{left}为 {right} 之一",
        "in": "{right}包含 {left}",
        "+": "{left}加 {right}",
        "-": "{left}减 {right}",
        "*": "{left}乘以 {right}",
        "/": "{left}除以 {right} 的整数部分",
        "%": "{left}除以 {right} 的余数",
        "negative": "负的 {one}",
        "!": "并非{one}",
        "bare": "{one}为真",
        "&&": "，且",
        "||": "，或",
        "choice": "如果{test}，则{then}，否则{otherwise}",
        "value choice": "{then}（如果{test}，否则为 {otherwise}）",
        "size": "{one}的长度",
        "count": "行数",
        "count of": "满足“{body}”的行数",
        "has": "{one}已知",
        "startsWith": "{left}以 {right} 开头",
        "endsWith": "{left}以 {right} 结尾",
        "contains": "{left}含有 {right}",
        "all": "每一行都满足：{body}",
        "exists": "至少有一行满足：{body}",
        "exists_one": "恰有一行满足：{body}",
        "true": "是",
        "false": "否",
        "comma": "、",
        "quotes": "“{one}”",
        "brackets": "（{one}）",
    },
)
_TONGUES: Final[Mapping[Language, _Tongue]] = {"en": _ENGLISH, "zh": _CHINESE}


def sentence(node: Node, language: Language) -> str:
    """Say what a checked condition asks, without a full stop."""
    return _Speaker(_TONGUES[language]).condition(node)


class _Speaker:
    """Puts the sentence together from below: conditions are clauses, values are nouns."""

    def __init__(self, tongue: _Tongue) -> None:
        self._tongue = tongue

    def condition(self, node: Node) -> str:
        match node:
            case Logic():
                joint = self._tongue.forms[node.op]
                return joint.join(map(self._clause, node.operands))
            case Unary():
                return self._form("!", one=self._clause(node.operand))
            case Choice():
                return self._choice(node, "choice")
            case Macro():
                return self._form(node.kind, body=self.condition(node.body))
            case Predicate():
                return self.condition(parse(node.name, length_max=_NAME_MAX))
            case Name():
                return self._form("bare", one=self.value(node), be=self._verb(node))
        return self.value(node)

    def value(self, node: Node) -> str:
        match node:
            case Whole():
                return str(node.value)
            case Flag():
                return self._tongue.forms["true" if node.value else "false"]
            case Text():
                return self._form("quotes", one=node.value)
            case Items():
                return self._tongue.forms["comma"].join(map(self.value, node.items))
            case Name():
                return self._name(node)
            case Binary():
                return self._binary(node)
            case Call():
                return self._call(node)
        return self._compound(node)

    def _compound(self, node: Node) -> str:
        if isinstance(node, Unary) and node.op == "-":
            return self._form("negative", one=self._noun(node.operand))
        if isinstance(node, Choice):
            return self._choice(node, "value choice")
        return self.condition(node)

    def _clause(self, node: Node) -> str:
        # Without brackets, "a and b or c" could be read in two ways; so could "and" after "for
        # every line", "if" or "it is not so".
        while isinstance(node, Predicate):
            node = parse(node.name, length_max=_NAME_MAX)
        text = self.condition(node)
        return self._bracketed(text) if isinstance(node, Logic | Choice | Macro | Unary) else text

    def _noun(self, node: Node) -> str:
        text = self.value(node)
        plain = isinstance(node, Whole | Flag | Text | Items | Name | Call)
        return text if plain else self._bracketed(text)

    def _choice(self, node: Choice, form: str) -> str:
        say = self._clause if form == "choice" else self._noun
        then, otherwise = say(node.then), say(node.otherwise)
        return self._form(form, test=self._clause(node.test), then=then, otherwise=otherwise)

    def _binary(self, node: Binary) -> str:
        left, right = self._noun(node.left), self._noun(node.right)
        listed = isinstance(node.right, Items)
        form = "one of" if node.op == "in" and listed else node.op
        be = self._verb(node.left) if node.op in RELATIONS else ""
        return self._form(form, left=left, right=right, be=be)

    def _call(self, node: Call) -> str:
        first = node.operands[0]
        if len(node.operands) == 2:
            left, right = map(self._noun, node.operands)
            return self._form(node.function, left=left, right=right)
        if isinstance(first, Macro):
            return self._form("count of", body=self.condition(first.body))
        if first == Name(LINES, ""):
            return self._tongue.forms["count"]
        return self._form(node.function, one=self._noun(first), be=self._verb(first))

    def _name(self, node: Name) -> str:
        names = self._tongue.names
        if node.root in names:
            return names[node.root].format(field=node.field)
        return names.get(f"{node.root}.{node.field}") or names[f"line.{node.field}"]

    def _verb(self, node: Node) -> str:
        return "are" if str(node) in self._tongue.plural else "is"

    def _form(self, form: str, **parts: str) -> str:
        return self._tongue.forms[form].format(**parts)

    def _bracketed(self, text: str) -> str:
        return self._form("brackets", one=text)
