"""`loyalty quote` and `loyalty explain`: what a document would earn, and why it earned."""
# ruff: noqa: RUF001 - Chinese lines have Chinese commas.

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final, NamedTuple

import typer

from ledger.core.instant import from_datetime, write_timestamp
from loyalty.v1 import account_service_pb2 as account_pb
from loyalty.v1 import ledger_service_pb2 as ledger_pb
from server.cli import console
from server.cli.calling import call_once
from server.cli.options import DEFAULT_SERVER, AsJson, Authority, Server, Token, member_ref
from server.cli.policy_files import Language
from server.cli.policy_steps import DIGEST_LENGTH, names_digest, read

Lang = Annotated[Language, typer.Option("--lang", help="Language of titles and lines.")]
Member = Annotated[
    str,
    typer.Option(
        metavar="REF",
        help="Member id, or an identity as scheme:value such as card:8800.",
        show_default=False,
    ),
]


class _Heads(NamedTuple):
    """What stands above an explanation."""

    document: str
    entry: str
    policy: str
    tier: str
    when: str


_HEADS: Final = {
    Language.EN: _Heads(
        document="{} version {}",
        entry="entry",
        policy="policy version {}",
        tier=", tier {}",
        when=" at {}",
    ),
    Language.ZH: _Heads(
        document="{} 第 {} 版",
        entry="交易",
        policy="政策第 {} 版",
        tier="，会员等级 {}",
        when="，当地时间 {}",
    ),
}


class _Quoted(NamedTuple):
    """What stands around a quote."""

    title: str
    columns: tuple[str, ...]
    nothing: str
    left: str
    period: str
    tier: str


_QUOTED: Final = {
    Language.EN: _Quoted(
        title="Would earn",
        columns=("rule", "currency", "wanted", "granted"),
        nothing="it would earn nothing",
        left="left of {purse}{period}: {left:,} of {limit:,}",
        period=" in {}",
        tier="tier after it: {}",
    ),
    Language.ZH: _Quoted(
        title="将获得",
        columns=("规则", "积分种类", "应得", "实得"),
        nothing="不会获得积分",
        left="{purse}{period} 剩余 {left:,}，上限 {limit:,}",
        period="（{}）",
        tier="此后的会员等级：{}",
    ),
}


def quote(  # noqa: PLR0913 - one argument an option
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="The document, or a whole QuoteDocumentRequest, as JSON or YAML in the contract's"
            " words.",
            show_default=False,
        ),
    ],
    unit: Annotated[
        str, typer.Option(metavar="UNIT", help="Business unit, where the file names none.")
    ] = "",
    member: Member = "",
    at: Annotated[
        datetime | None,
        typer.Option(metavar="TIME", help="When it would occur, UTC; now by default."),
    ] = None,
    tier: Annotated[str, typer.Option(metavar="TIER", help="As if the member had this tier.")] = "",
    policy: Annotated[
        str,
        typer.Option(
            metavar="FILE|VERSION|DIGEST", help="Another policy than the one in force then."
        ),
    ] = "",
    lang: Lang = Language.EN,
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    ca: Authority = None,
    json: AsJson = False,
) -> None:
    """Show what a document would earn, for a member or for somebody who joins. Records nothing."""
    request = _request(file)
    request.language = lang.value
    if unit:
        request.origin.business_unit = unit
    if member:
        request.member.CopyFrom(member_ref(member))
    if at is not None:
        write_timestamp(request.origin.occurred_time, from_datetime(_utc(at)))
    if tier:
        request.assume.tier = tier
    if policy:
        _name_policy(request, policy)
    if not request.origin.business_unit:
        console.fail(f"{file} names no business unit", advice="Add --unit", code=console.USAGE)
    answer = call_once((server, token, ca), request)
    if json:
        console.print_json(answer)
    else:
        _print_quote(answer, lang)


def _utc(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at


def _request(file: Path) -> ledger_pb.QuoteDocumentRequest:
    """The question in a file; what is no question leaves with the place that is wrong."""
    # Imported when it is wanted: a command's start must not wait for it.
    from rules.reading import read_tree
    from rules.refusal import PolicyRefused
    from server.gateway.reading import fill

    try:
        content, lines = read_tree(read(file))
    except PolicyRefused as refused:
        finding = refused.findings[0]
        console.fail(f"{_place(file, finding.line)}: {finding}", code=console.USAGE)
    if not isinstance(content, dict):
        console.fail(f"{file}: expected a document, in JSON or YAML", code=console.USAGE)
    request = ledger_pb.QuoteDocumentRequest()
    faults = fill(request if "document" in content else request.document, content)
    if faults:
        told = (f"{_place(file, lines.get(_steps(each.field), 0))}: {each}" for each in faults)
        console.fail(
            "\n      ".join(told),
            advice="docs/examples/basket.yaml is a document, docs/openapi.html has every field",
            code=console.USAGE,
        )
    return request


def _place(file: Path, line: int) -> str:
    return f"{file}, line {line}" if line else str(file)


def _steps(path: str) -> tuple[str | int, ...]:
    """The way to "lines[0].category" through a file."""
    steps = re.findall(r"([^.\[\]]+)|\[(\d+)\]", path)
    return tuple(name or int(number) for name, number in steps)


def _name_policy(request: ledger_pb.QuoteDocumentRequest, policy: str) -> None:
    if Path(policy).is_file():
        request.policy_document = read(Path(policy))
    elif policy.isdecimal() and len(policy) < DIGEST_LENGTH:
        request.policy_version = int(policy)
    elif names_digest(policy) and len(policy) == DIGEST_LENGTH:
        request.policy_digest = policy
    else:
        console.fail(
            f"--policy {policy}: expected a file, a version or a whole digest",
            advice="`loyalty policy list` shows what there is",
            code=console.USAGE,
        )


def _print_quote(answer: ledger_pb.QuoteDocumentResponse, lang: Language) -> None:
    words = _QUOTED[lang]
    titles = {each.rule: each.title for each in answer.titles}
    rows = console.table(words.title, *words.columns, numbers=2)
    for grant in answer.posting.grants:
        amounts = (f"{grant.wanted:,}", f"{grant.granted:,}")
        rows.add_row(titles.get(grant.rule, grant.rule), grant.currency, *amounts)
    for given in answer.benefits:
        rows.add_row(titles.get(given.rule, given.rule), given.benefit, "", f"{given.quantity:,}")
    console.print_table(rows, none=words.nothing)
    for line in answer.posting.messages:
        console.out.print(line, markup=False)
    for purse in answer.room:
        period = words.period.format(purse.period) if purse.period else ""
        left = words.left.format(
            purse=purse.name, period=period, left=purse.left, limit=purse.limit
        )
        console.out.print(left, markup=False)
    if answer.posting.tier:
        console.out.print(words.tier.format(f"[bold]{answer.posting.tier}[/]"))


def explain(
    entry: Annotated[
        str,
        typer.Argument(
            metavar="ENTRY",
            help="Document as unit/source/id, or an entry id; with --member also the number of a"
            " line of the statement.",
            show_default=False,
        ),
    ],
    member: Member = "",
    version: Annotated[
        int, typer.Option(min=0, help="Version of the document; the newest by default.")
    ] = 0,
    lang: Lang = Language.EN,
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    ca: Authority = None,
    json: AsJson = False,
) -> None:
    """Show why an entry is what it is: each rule with its reason, or the lots that were drawn."""
    request = account_pb.ExplainEntryRequest(version=version, language=lang.value)
    if member:
        request.member.CopyFrom(member_ref(member))
    if "/" in entry:
        request.document = entry
    elif member and entry.isdecimal():
        request.version = int(entry)
    else:
        request.entry_id = entry
    answer = call_once((server, token, ca), request)
    if json:
        console.print_json(answer)
    else:
        _print_explanation(answer, lang)


def _print_explanation(answer: account_pb.ExplainEntryResponse, lang: Language) -> None:
    words = _HEADS[lang]
    document = words.document.format(answer.document, answer.version)
    console.out.print(
        f"{document if answer.document else words.entry}   {answer.entry_id}", markup=False
    )
    if answer.policy_version:
        pins = answer.pins
        tier = words.tier.format(pins.tier) if pins.tier else ""
        when = words.when.format(pins.local_time) if pins.local_time else ""
        policy = words.policy.format(answer.policy_version)
        console.out.print(f"{policy}{tier}{when}", markup=False)
    for line in answer.lines:
        console.out.print(line, markup=False, highlight=False)
