"""The words of an expression: characters in, tokens with their columns out."""

import re
from dataclasses import dataclass
from typing import Literal

from rules.expr.problems import ExprError

TokenKind = Literal["int", "string", "name", "field", "op", "end"]


@dataclass(frozen=True, slots=True)
class Token:
    """One word. `text` is what it says: of a string its value, of `` `a-b` `` the name."""

    kind: TokenKind
    text: str
    at: int

    def __str__(self) -> str:
        return "the end" if self.kind == "end" else repr(self.text)


_SCAN = re.compile(
    r"""
    (?P<space>   [ \t\r\n\f]+ | //[^\n]* )
  | (?P<double>  [0-9]+\.[0-9]+(?:[eE][+-]?[0-9]+)? | [0-9]+[eE][+-]?[0-9]+ | \.[0-9]+ )
  | (?P<int>     (?: 0[xX][0-9a-fA-F]+ | [0-9]+ ) [A-Za-z_]* )
  | (?P<triple>  [rRbB]{0,2} (?: \"\"\" | ''' ) )
  | (?P<bytes>   [rR]?[bB][rR]?["'] )
  | (?P<raw>     [rR] (?: "[^"\r\n]*" | '[^'\r\n]*' ) )
  | (?P<string>  "(?:[^"\\\r\n]|\\[^\r\n])*" | '(?:[^'\\\r\n]|\\[^\r\n])*' )
  | (?P<field>   `[A-Za-z0-9_.\-/ ]+` )
  | (?P<name>    [A-Za-z_][A-Za-z0-9_]* )
  | (?P<op>      && | \|\| | [=!<>]= | [<>!?:+\-*/%.,()\[\]] )
    """,
    re.VERBOSE,
)
_ESCAPE = re.compile(
    r"\\(?:(?P<plain>[abfnrtv\\?\"'`])|[xX](?P<x>[0-9a-fA-F]{2})|u(?P<u>[0-9a-fA-F]{4})"
    r"|U(?P<U>[0-9a-fA-F]{8})|(?P<octal>[0-3][0-7]{2})|(?P<wrong>.))"
)
_PLAIN = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}

_ADVICE = {
    "double": "{0} is not exact here: count in whole numbers, money in minor units (1.50 is 150)",
    "triple": "write a string in one pair of quotes, a new line in it as \\n",
    "bytes": "there are no bytes here: write a string without the letter b",
}
_WRONG = {
    "=": "write == to compare",
    "&": "write && for and",
    "|": "write || for or",
    '"': "the string does not end",
    "'": "the string does not end",
    "`": "a name between ` ` has letters, digits, _ . - / and blanks",
    "{": "there are no maps here",
}


def tokens(text: str) -> list[Token]:
    """Cut the text into tokens, the last of kind `end`; refuse what is no word."""
    found: list[Token] = []
    place = 0
    while place < len(text):
        match = _SCAN.match(text, place)
        if match is None:
            advice = _WRONG.get(text[place], "no word of the language begins with it")
            raise ExprError(f"{text[place]!r}: {advice}", place + 1)
        token = _token(match)
        if token is not None:
            found.append(token)
        place = match.end()
    return [*found, Token("end", "", len(text) + 1)]


def _token(match: re.Match[str]) -> Token | None:
    kind, written, at = match.lastgroup, match.group(), match.start() + 1
    match kind:
        case "space":
            return None
        case "int":
            return Token("int", _digits(written, at), at)
        case "raw":
            return Token("string", _code_points(written[2:-1], at), at)
        case "string":
            return Token("string", _code_points(_unescaped(written[1:-1], at + 1), at), at)
        case "field":
            return Token("field", written[1:-1], at)
        case "name":
            return Token("name", written, at)
        case "op":
            return Token("op", written, at)
    raise ExprError(_ADVICE[str(kind)].format(written), at)


def _digits(written: str, at: int) -> str:
    if written[-1] in "uU":
        raise ExprError(f"{written}: there are no unsigned numbers here, leave out the u", at)
    if not re.fullmatch(r"0[xX][0-9a-fA-F]+|[0-9]+", written):
        raise ExprError(f"{written!r} is neither a number nor a name", at)
    return written


def _unescaped(body: str, at: int) -> str:
    def character(match: re.Match[str]) -> str:
        if plain := match["plain"]:
            return _PLAIN.get(plain, plain)
        if match["wrong"]:
            raise ExprError(
                f"{match.group()} is no escape; a backslash is \\\\", at + match.start()
            )
        code = int(match["octal"], 8) if match["octal"] else int(match.group()[2:], 16)
        if code > 0x10FFFF or 0xD800 <= code < 0xE000:
            raise ExprError(f"{match.group()} is no character", at + match.start())
        return chr(code)

    return _ESCAPE.sub(character, body)


def _code_points(value: str, at: int) -> str:
    if any("\ud800" <= c <= "\udfff" for c in value):
        raise ExprError("the string has half a character (a lone surrogate)", at)
    return value
