"""Bodies that are no sound text, JSON or XML, whatever they would say."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from starlette.applications import Starlette

from adapters.frame.words import Delivery
from tests.adapters.spoilt import case
from tests.adapters.spoilt.case import Case

DEPTH = 100_000
Sign = Callable[[bytes], Delivery]
Build = Callable[[str], bytes]
Answers = Callable[[], Starlette | None]


def named(delivery: Delivery, content_type: str) -> Delivery:
    """The delivery with another content type, which nobody signs."""
    return replace(delivery, headers={**delivery.headers, "content-type": content_type})


def cut(delivery: Delivery) -> Delivery:
    """The delivery without its end."""
    return replace(delivery, body=delivery.body[:-10])


def json_rows(
    build: Build, sign: Sign, api: Answers = lambda: None
) -> Mapping[str, Callable[[], Case]]:
    """What may be wrong with a JSON body.

    Args:
        build: makes the good body with a text in a field that is used.
        sign: makes a genuine delivery of a body.
        api: what answers where it has to be fetched what "MARK" is.
    """
    good = build("MARK")
    text = good.decode()
    deep = b"[" * DEPTH + b"]" * DEPTH

    def of(body: bytes, charset: str = "") -> Callable[[], Case]:
        kind = f"application/json; charset={charset}" if charset else "application/json"
        return lambda: Case([named(sign(body), kind)], api=api())

    return {
        case.CUT: lambda: Case([cut(sign(good))]),
        case.EMPTY: of(b""),
        case.CHARSET: of(good.replace(b"MARK", "é".encode("latin-1"))),
        case.WIDE: of(text.encode("utf-16"), "utf-16"),
        case.SEVEN: of(text.encode("utf-7"), "utf-7"),
        case.TWICE: of(good.replace(b"{", b'{"twice":1,"twice":2,', 1)),
        case.DEEP: of(b'{"deep":' + deep + b"," + good[1:]),
        case.SURROGATE: of(build("MARK\ud83d")),
        case.NUL: of(build("MARK\0")),
    }


def xml_rows(build: Build, sign: Sign) -> Mapping[str, Callable[[], Case]]:
    """As `json_rows`, for an XML body without a declaration."""
    good = build("MARK")
    text = good.decode()

    def of(body: bytes) -> Callable[[], Case]:
        return lambda: Case([sign(body)])

    def doctype(inside: str) -> Callable[[], Case]:
        return of(f"<!DOCTYPE x {inside}>{text.replace('MARK', '&x;')}".encode())

    laughs = '<!ENTITY a "ha">' + "".join(
        f'<!ENTITY {name} "{f"&{before};" * 10}">'
        for before, name in zip("abcdefghi", "bcdefghix", strict=True)
    )
    include = '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd"/>'
    end = text.rindex("</")
    depth = "<deep>" * DEPTH + "</deep>" * DEPTH
    return {
        case.CUT: lambda: Case([cut(sign(good))]),
        case.EMPTY: of(b""),
        case.CHARSET: of(good.replace(b"MARK", "é".encode("latin-1"))),
        case.WIDE: of(f'<?xml version="1.0" encoding="UTF-16"?>{text}'.encode("utf-16")),
        case.SEVEN: of(f'<?xml version="1.0" encoding="UTF-7"?>{text}'.encode()),
        case.DEEP: of(f"{text[:end]}{depth}{text[end:]}".encode()),
        case.SURROGATE: of(good.replace(b"MARK", b"&#xD83D;")),
        case.NUL: of(good.replace(b"MARK", b"&#0;")),
        case.LAUGHS: doctype(f"[{laughs}]"),
        case.OUTSIDE: doctype('[<!ENTITY x SYSTEM "file:///etc/passwd">]'),
        case.INCLUDE: of(f"{text[:end]}{include}{text[end:]}".encode()),
    }
