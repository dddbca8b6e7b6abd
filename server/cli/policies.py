"""`loyalty policy check` and `loyalty policy publish`."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from loyalty.v1 import programme_service_pb2 as programme_pb
from loyalty.v1.programme_service_pb2_grpc import ProgrammeServiceStub
from server.cli import console
from server.cli.options import (
    CALL_SECONDS,
    DEFAULT_SERVER,
    AsJson,
    Authority,
    Server,
    Token,
    channel_to,
    example,
    require_token,
)
from server.cli.sending import metadata

if TYPE_CHECKING:
    from rules import Finding

MAX_BYTES: Final = 1 << 20

app = typer.Typer(help="Check and publish point policy.", no_args_is_help=True)

PolicyFile = Annotated[
    Path,
    typer.Argument(metavar="FILE", help="Policy document, YAML or JSON.", show_default=False),
]


@app.command("check", epilog=example("loyalty policy check rules/programmes/harbour.yaml"))
def check_command(file: PolicyFile, json: AsJson = False) -> None:
    """Check a policy document as publishing would, without a server. Exit 1 if it has errors."""
    # Imported when it is wanted: a command's start must not wait for the language.
    from rules import PolicyRefused, check, compile_policy, load

    text = _read(file)
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
        colour = "red" if finding.severity == "error" else "yellow"
        # Paths such as earn[base.rooms] would be markup to rich: print them as they are.
        console.out.print(f"{place}: ", end="", markup=False)
        console.out.print(f"{finding.severity}: ", end="", style=colour)
        console.out.print(str(finding), markup=False)


@app.command(
    epilog=example("loyalty policy publish rules/programmes/harbour.yaml --server 127.0.0.1:7070")
)
def publish(
    file: PolicyFile,
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    ca: Authority = None,
    allow_retroactive: Annotated[
        bool, typer.Option(help="Allow an effective_from in the past.")
    ] = False,
    validate_only: Annotated[bool, typer.Option(help="All checks, nothing recorded.")] = False,
    json: AsJson = False,
) -> None:
    """Publish a policy document. Publishing the same document again changes nothing."""
    text = _read(file)
    request = programme_pb.PublishPolicyRequest(
        request_id=hashlib.sha256(b"loyalty policy publish\x1f" + text.encode()).hexdigest(),
        validate_only=validate_only,
        document=text,
        allow_retroactive=allow_retroactive,
    )
    call = metadata(require_token(token))
    with console.explained(), channel_to(server, ca) as channel:
        stub = ProgrammeServiceStub(channel)
        answer = stub.PublishPolicy(request, metadata=call, timeout=CALL_SECONDS)
    if json:
        console.print_json(answer)
        return
    for finding in answer.findings:
        console.err.print(f"warning: {finding.path}: {finding.message}", markup=False)
    policy = answer.policy
    done = "checked" if validate_only else "published before" if answer.replayed else "published"
    console.out.print(f"{done}: {policy.programme} version {policy.version} {policy.digest}")


def _read(file: Path) -> str:
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
