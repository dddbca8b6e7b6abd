"""`loyalty policy check` and `loyalty policy publish`; the steps between stand beside it."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from loyalty.v1 import programme_service_pb2 as programme_pb
from server.cli import backtesting, console, policy_files, policy_steps
from server.cli.calling import call_once, id_from
from server.cli.options import DEFAULT_SERVER, AsJson, Authority, Server, Token, example

if TYPE_CHECKING:
    from rules import Finding

_COLOURS = {"error": "red", "warning": "yellow", "info": "blue"}

app = typer.Typer(help="Check, draft, approve and publish point policy.", no_args_is_help=True)
policy_steps.add_to(app)
backtesting.add_to(app)
policy_files.add_to(app)


@app.command("check", epilog=example("loyalty policy check rules/programmes/harbour.yaml"))
def check_command(file: policy_steps.PolicyFile, json: AsJson = False) -> None:
    """Check a policy document as publishing would, without a server. Exit 1 if it has errors."""
    # Imported when it is wanted: a command's start must not wait for the language.
    from rules import PolicyRefused, check, compile_policy, load

    text = policy_steps.read(file)
    try:
        document = load(text)
        findings = list(check(document))
    except PolicyRefused as refused:
        findings = list(refused.findings)
    errors = [finding for finding in findings if finding.severity == "error"]
    if json:
        console.print_json(
            [
                {
                    "path": finding.path,
                    "message": finding.message,
                    "severity": finding.severity,
                    "line": finding.line,
                }
                for finding in findings
            ]
        )
    else:
        _print(file, findings)
    if errors:
        raise typer.Exit(console.NO)
    if not json:
        policy = compile_policy(load(text))
        console.out.print(
            f"[green]ok[/] {policy.programme} version {policy.version}, digest {policy.digest}"
        )


def _print(file: Path, findings: list["Finding"]) -> None:
    for finding in findings:
        place = f"{file}:{finding.line}" if finding.line else str(file)
        # Paths such as earn[base.rooms] would be markup to rich: print them as they are.
        console.out.print(f"{place}: ", end="", markup=False)
        word = policy_steps.WORDS[finding.severity]
        console.out.print(f"{word}: ", end="", style=_COLOURS[finding.severity])
        console.out.print(str(finding), markup=False)
    counts = Counter[str](finding.severity for finding in findings)
    summary = ", ".join(
        f"{counts[severity]} {word}{'s' if counts[severity] > 1 else ''}"
        for severity, word in policy_steps.WORDS.items()
        if counts[severity]
    )
    if summary:
        console.out.print(summary)


@app.command(
    epilog=example("loyalty policy publish rules/programmes/harbour.yaml --server 127.0.0.1:7070")
)
def publish(  # noqa: PLR0913 - every option is an argument
    what: Annotated[
        str,
        typer.Argument(
            metavar="WHAT", help="A policy document, or the digest of a draft.", show_default=False
        ),
    ],
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    ca: Authority = None,
    operator: policy_steps.Operator = "",
    allow_retroactive: Annotated[
        bool, typer.Option(help="Allow an effective_from in the past.")
    ] = False,
    allow_overlap: Annotated[
        bool, typer.Option(help="Allow a lower version to take effect at or after a higher one.")
    ] = False,
    validate_only: policy_steps.ValidateOnly = False,
    json: AsJson = False,
) -> None:
    """Publish a policy: it takes effect at its effective_from. Publishing it again changes nothing.

    The first policy of a programme needs nobody's approval. Every later one is drafted first, and
    approved by another person, unless the service is set to ask for no approval.
    """
    file = Path(what)
    by_digest = policy_steps.names_digest(what) and not file.exists()
    text = "" if by_digest else policy_steps.read(file)
    named = policy_steps.whole_digest(server, token, ca, what) if by_digest else ""
    request = programme_pb.PublishPolicyRequest(
        request_id=id_from("loyalty policy publish", text or named, operator),
        validate_only=validate_only,
        document=text,
        digest=named,
        allow_retroactive=allow_retroactive,
        allow_overlap=allow_overlap,
        operator=operator,
    )
    answer = call_once((server, token, ca), request)
    if json:
        console.print_json(answer)
        return
    done = "checked" if validate_only else "published before" if answer.replayed else "published"
    policy_steps.told(done, answer.policy, answer.findings)
