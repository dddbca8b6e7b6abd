"""`loyalty policy diff`, `schema` and `reference`: what a policy file says, without a server."""

import json as json_text
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from server.cli import console, policy_steps
from server.cli.options import AsJson, example

if TYPE_CHECKING:
    from rules import PolicyDocument


class Language(StrEnum):
    """A language that changes are said in."""

    EN = "en"
    ZH = "zh"


def add_to(app: typer.Typer) -> None:
    """Add the commands to `loyalty policy`."""
    app.command("diff", epilog=example("loyalty policy diff policy-1.yaml policy-2.yaml"))(diff)
    app.command("schema", epilog=example("loyalty policy schema > policy.schema.json"))(schema)
    app.command("reference", epilog=example("loyalty policy reference | less"))(reference)


def diff(
    before: policy_steps.PolicyFile,
    after: policy_steps.PolicyFile,
    lang: Annotated[Language, typer.Option(help="Language of the words.")] = Language.EN,
    json: AsJson = False,
) -> None:
    """Say in words what changed from one policy document to another. Exit 1 if anything did."""
    # Imported when it is wanted: a command's start must not wait for the language.
    from rules.difference import difference

    changes = difference(_readable(before), _readable(after))
    if json:
        console.print_json(
            [
                {"path": one.path, "before": one.before, "after": one.after, "text": str(one)}
                for one in changes
            ]
        )
    else:
        for change in changes:
            # Paths such as earn[base.rooms] would be markup to rich: print them as they are.
            console.out.print(change.says(lang.value), markup=False)
        if not changes:
            console.err.print("no difference")
    if changes:
        raise typer.Exit(console.NO)


def schema() -> None:
    """Print the policy language as a JSON Schema, for editors."""
    from rules.schema import policy_schema

    typer.echo(json_text.dumps(policy_schema(), indent=2, ensure_ascii=False))


def reference() -> None:
    """Print the reference of every key of the policy language, as Markdown."""
    from rules.reference import reference as written

    typer.echo(written(), nl=False)


def _readable(file: policy_steps.PolicyFile) -> "PolicyDocument":
    from rules import load

    document = load(policy_steps.read(file))
    if document.model is None:
        console.fail(f"{file}: {document.findings[0]}", advice=f"Run: loyalty policy check {file}")
    return document
