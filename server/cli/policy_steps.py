"""`loyalty policy draft`, `approve`, `withdraw`, `list`, `show`: a version on its way to force."""

import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

import typer
from google.protobuf.timestamp_pb2 import Timestamp

from loyalty.v1 import programme_service_pb2 as pb
from server.cli import console
from server.cli.calling import call_once, id_from
from server.cli.options import DEFAULT_SERVER, AsJson, Authority, Server, Token, example

MAX_BYTES: Final = 1 << 20
PAGE: Final = 200
SHORT: Final = 12
_LISTED: Final = "`loyalty policy list` shows them"
"""Digits of a digest that a list shows, and the fewest that name one."""
DIGEST_LENGTH: Final = 64
WORDS: Final = {"error": "error", "warning": "warning", "info": "note"}
"""How the severity of a finding is said to people."""
_DIGEST: Final = re.compile(rf"[0-9a-f]{{{SHORT},{DIGEST_LENGTH}}}")

PolicyFile = Annotated[
    Path,
    typer.Argument(metavar="FILE", help="Policy document, YAML or JSON.", show_default=False),
]
Digest = Annotated[
    str,
    typer.Argument(
        metavar="DIGEST",
        help=f"Digest of the draft or policy, or its first {SHORT} digits or more.",
        show_default=False,
    ),
]
Operator = Annotated[
    str,
    typer.Option(
        envvar="LOYALTY_OPERATOR",
        metavar="NAME",
        help="Who you are, beside the token's client; another than the author's to approve.",
        show_default=False,
    ),
]
ValidateOnly = Annotated[
    bool, typer.Option("--validate-only", help="All checks, nothing recorded.")
]


def read(file: Path) -> str:
    """Text of a policy file; leaves with advice when it cannot be one."""
    try:
        content = file.read_bytes()
    except OSError as error:
        console.fail(f"{file}: {error.strerror}", code=console.USAGE)
    if len(content) > MAX_BYTES:
        console.fail(f"{file}: {len(content)} bytes; a policy has at most {MAX_BYTES}")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        console.fail(f"{file}: not UTF-8", advice="Save it as UTF-8 text", code=console.USAGE)


def told(done: str, policy: pb.Policy, findings: Sequence[pb.PolicyFinding] = ()) -> None:
    """Say on stdout what was done, and on stderr what was found."""
    for finding in findings:
        word = WORDS.get(finding.severity, finding.severity)
        console.err.print(f"{word}: {finding.path}: {finding.message}", markup=False)
    console.out.print(f"{done}: {policy.programme} version {policy.version} {policy.digest}")


def names_digest(text: str) -> bool:
    """Whether a text may be a digest, or the beginning of one that is long enough."""
    return bool(_DIGEST.fullmatch(text))


def whole_digest(server: str, token: str, ca: Path | None, given: str) -> str:
    """The one digest that begins with what was given."""
    if len(given) == DIGEST_LENGTH:
        return given
    if not names_digest(given):
        console.fail(
            f"DIGEST {given!r}: expected the {SHORT} to {DIGEST_LENGTH} first digits, 0-9 and a-f",
            advice=_LISTED,
            code=console.USAGE,
        )
    found = [
        policy.digest
        for policy in every_policy(server, token, ca)
        if policy.digest.startswith(given)
    ]
    if len(found) != 1:
        many = "no draft or policy" if not found else f"{len(found)} drafts or policies"
        console.fail(
            f"DIGEST {given!r}: {many} with a digest that begins so",
            advice=_LISTED,
        )
    return found[0]


def every_policy(server: str, token: str, ca: Path | None) -> list[pb.Policy]:
    """All drafts and policies, page by page."""
    found: list[pb.Policy] = []
    request = pb.ListPoliciesRequest(page_size=PAGE)
    while True:
        answer = call_once((server, token, ca), request)
        found.extend(answer.policies)
        if not answer.next_page_token:
            return found
        request.page_token = answer.next_page_token


def draft(
    file: PolicyFile,
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    ca: Authority = None,
    operator: Operator = "",
    validate_only: ValidateOnly = False,
    json: AsJson = False,
) -> None:
    """Record a policy document as a draft: checked, in force nowhere. Somebody else approves it."""
    text = read(file)
    request = pb.DraftPolicyRequest(
        request_id=id_from("loyalty policy draft", text, operator),
        validate_only=validate_only,
        document=text,
        operator=operator,
    )
    answer = call_once((server, token, ca), request)
    if json:
        console.print_json(answer)
        return
    done = "checked" if validate_only else "drafted before" if answer.replayed else "drafted"
    told(done, answer.policy, answer.findings)
    if not validate_only:
        console.err.print(
            f"next: another person approves it: loyalty policy approve {answer.policy.digest}",
            markup=False,
        )


def approve(
    digest: Digest,
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    ca: Authority = None,
    operator: Operator = "",
    note: Annotated[str, typer.Option(help="Why, in your words; kept for ever.")] = "",
    validate_only: ValidateOnly = False,
    json: AsJson = False,
) -> None:
    """Approve a draft that somebody else made; with a token of your own."""
    named = whole_digest(server, token, ca, digest)
    request = pb.ApprovePolicyRequest(
        request_id=id_from("loyalty policy approve", named, operator, note),
        validate_only=validate_only,
        digest=named,
        operator=operator,
        note=note,
    )
    answer = call_once((server, token, ca), request)
    if json:
        console.print_json(answer)
        return
    done = "may be approved" if validate_only else "approved"
    told("approved before" if answer.replayed else done, answer.policy)
    if not validate_only:
        console.err.print(f"next: loyalty policy publish {named}", markup=False)


def withdraw(
    digest: Digest,
    reason: Annotated[str, typer.Option(help="Why; kept for ever.", show_default=False)],
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    ca: Authority = None,
    operator: Operator = "",
    validate_only: ValidateOnly = False,
    json: AsJson = False,
) -> None:
    """Withdraw a draft, or a published policy before it takes effect."""
    named = whole_digest(server, token, ca, digest)
    request = pb.WithdrawPolicyRequest(
        request_id=id_from("loyalty policy withdraw", named, operator, reason),
        validate_only=validate_only,
        digest=named,
        operator=operator,
        reason=reason,
    )
    answer = call_once((server, token, ca), request)
    if json:
        console.print_json(answer)
        return
    done = "may be withdrawn" if validate_only else "withdrawn"
    told("withdrawn before" if answer.replayed else done, answer.policy)


def list_policies(
    server: Server = DEFAULT_SERVER, token: Token = "", ca: Authority = None, json: AsJson = False
) -> None:
    """List drafts and policies with the state of each, highest version first."""
    policies = every_policy(server, token, ca)
    if json:
        console.print_json(pb.ListPoliciesResponse(policies=policies))
        return
    if not policies:
        console.out.print("no policy yet; `loyalty policy publish FILE` begins the programme")
        return
    table = console.table("Policies", "version", "state", "takes effect", "author", "digest")
    for policy in policies:
        table.add_row(
            str(policy.version),
            state_of(policy),
            moment_of(policy.effective_time),
            policy.author or policy.publisher,
            policy.digest[:SHORT],
        )
    console.out.print(table)


def show(
    which: Annotated[
        str,
        typer.Argument(
            metavar="[WHICH]",
            help="A version number, or a digest; without it the policy in force now.",
            show_default=False,
        ),
    ] = "",
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    ca: Authority = None,
    document: Annotated[
        bool, typer.Option("--document", help="Print the document as it was sent, nothing else.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Show a version of the policy: where it stands, and who did what."""
    request = pb.GetPolicyRequest()
    if which.isdecimal() and len(which) < SHORT:
        request.version = int(which)
    elif which:
        request.digest = whole_digest(server, token, ca, which)
    policy = call_once((server, token, ca), request).policy
    if json:
        console.print_json(policy)
    elif document:
        typer.echo(policy.document, nl=not policy.document.endswith("\n"))
    else:
        for name, value in story_of(policy):
            console.out.print(f"{name:<13}{value}", markup=False)


def story_of(policy: pb.Policy) -> list[tuple[str, str]]:
    """A version in words, line by line."""
    lines = [
        ("policy", f"{policy.programme} version {policy.version}"),
        ("digest", policy.digest),
        ("state", state_of(policy)),
        ("takes effect", moment_of(policy.effective_time)),
    ]
    if policy.author:
        lines.append(("drafted", f"{moment_of(policy.draft_time)} by {policy.author}"))
    for run in policy.simulations:
        moved = ", ".join(f"{each.amount:+,} {each.currency}" for each in run.difference)
        over = f"over {run.documents:,} documents: {moved or 'no difference'}"
        lines.append(("simulated", f"{moment_of(run.record_time)} by {run.author} {over}"))
    if policy.approvers:
        by = ", ".join(policy.approvers)
        lines.append(("approved", f"{moment_of(policy.approve_time)} by {by}"))
    if policy.publisher:
        lines.append(("published", f"{moment_of(policy.publish_time)} by {policy.publisher}"))
    if policy.withdrawer:
        by = f"{policy.withdrawer}: {policy.withdraw_reason}"
        lines.append(("withdrawn", f"{moment_of(policy.withdraw_time)} by {by}"))
    return lines


def state_of(policy: pb.Policy) -> str:
    """The state in small letters: "in force"."""
    name = pb.PolicyState.Name(policy.state)
    return name.removeprefix("POLICY_STATE_").lower().replace("_", " ")


def moment_of(stamp: Timestamp) -> str:
    """A time in UTC, to the second."""
    moment: datetime = stamp.ToDatetime()
    return f"{moment:%Y-%m-%d %H:%M:%S}Z"


def add_to(app: typer.Typer) -> None:
    """Give the commands their names and examples."""
    app.command(epilog=example("loyalty policy draft rules/programmes/harbour.yaml"))(draft)
    app.command(epilog=example("loyalty policy approve 7fbc009c6355 --operator ben"))(approve)
    app.command(
        epilog=example('loyalty policy withdraw 7fbc009c6355 --reason "hotels are not ready"')
    )(withdraw)
    app.command("list", epilog=example("loyalty policy list --json"))(list_policies)
    app.command(epilog=example("loyalty policy show 2 --document"))(show)
