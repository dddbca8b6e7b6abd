"""`loyalty member show` and `loyalty member update`: what business units know of a member."""

import hashlib
import re
from typing import Annotated, Final

import typer

from loyalty.v1 import member_service_pb2 as pb
from loyalty.v1.types_pb2 import Origin
from server.cli import console
from server.cli.calling import Where, call_once
from server.cli.consents import print_consents
from server.cli.membership import state_of
from server.cli.options import (
    DEFAULT_SERVER,
    AsJson,
    Authority,
    Ref,
    Server,
    Token,
    example,
    member_ref,
)
from server.cli.policy_steps import ValidateOnly
from server.cli.referrals import print_referral

app = typer.Typer(help="Show and change what is known of a member.", no_args_is_help=True)
_BIRTHDAY: Final = re.compile(r"(\d{2})-(\d{2})")
_WHOLE: Final = re.compile(r"-?\d{1,18}")
_FLAGS: Final = {"true": True, "false": False}


@app.command(epilog=example("loyalty member show card:8800"))
def show(
    ref: Ref,
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    ca: Authority = None,
    json: AsJson = False,
) -> None:
    """Show a member; what is known of them only to a token with the verb `profile`."""
    answer = _get((server, token, ca), ref)
    if json:
        console.print_json(answer)
        return
    member, profile = answer.member, answer.profile
    print_member(member)
    if profile.HasField("birthday"):
        console.out.print(f"birthday   {profile.birthday.month:02}-{profile.birthday.day:02}")
    for given in profile.attributes:
        console.out.print(f"{given.attribute}   {_shown(given)}", markup=False)
    for name, value in (
        ("segments", ", ".join(profile.segments)),
        ("household", profile.household),
    ):
        if value:
            console.out.print(f"{name}   {value}", markup=False)
    print_referral(answer.referral)
    print_consents(answer.consents)


def print_member(member: pb.Member) -> None:
    """Show who a member is to the ledger, and how far they take part."""
    tier = member.tier or "none"
    state = state_of(member)
    console.out.print(
        f"member [bold]{member.member_id}[/]   tier [bold]{tier}[/]   [bold]{state}[/]"
    )
    console.out.print(f"joined   {console.utc(member.enrol_time)} at {member.business_unit}")
    erased = console.utc(member.erase_time) if member.HasField("erase_time") else ""
    for name, value in (
        ("known by", ", ".join(member.identity_schemes)),
        ("merged into", member.merged_into),
        ("erased", erased),
        ("in pools", ", ".join(member.pool_ids)),
    ):
        if value:
            console.out.print(f"{name}   {value}", markup=False)


def _get(where: Where, ref: str) -> pb.GetMemberResponse:
    request = pb.GetMemberRequest(member=member_ref(ref))
    answer: pb.GetMemberResponse = call_once(where, request)
    return answer


def _shown(given: pb.MemberAttribute) -> str:
    arm = given.WhichOneof("value")
    return ", ".join(given.list.values) if arm == "list" else str(getattr(given, arm or "text"))


@app.command(
    epilog=example("loyalty member update card:8800 --unit hotel --birthday 04-30 --set pets=2")
)
def update(  # noqa: PLR0913 - every option is an argument
    ref: Ref,
    unit: Annotated[str, typer.Option(metavar="UNIT", help="Business unit that tells it.")],
    birthday: Annotated[
        str, typer.Option(metavar="MM-DD", help="Birthday without the year; - clears it.")
    ] = "",
    attributes: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="Attribute of the policy; true and false are flags, digits are numbers, a value in"
            " quotes is a text, [a,b] is a list, nothing clears it. Repeatable.",
        ),
    ] = None,
    add: Annotated[
        list[str] | None,
        typer.Option("--add-segment", metavar="SEGMENT", help="Repeatable."),
    ] = None,
    remove: Annotated[
        list[str] | None,
        typer.Option("--remove-segment", metavar="SEGMENT", help="Repeatable."),
    ] = None,
    household: Annotated[
        str, typer.Option(metavar="ID", help="Household of the member; - clears it.")
    ] = "",
    request_id: Annotated[
        str,
        typer.Option(
            metavar="ID", help="Chosen by the caller; from what is known now and told by default."
        ),
    ] = "",
    validate_only: ValidateOnly = False,
    server: Server = DEFAULT_SERVER,
    token: Token = "",
    ca: Authority = None,
    json: AsJson = False,
) -> None:
    """Change what is known of a member; what is left out stays. The past stays as it was."""
    request = pb.UpdateMemberRequest(
        validate_only=validate_only,
        origin=Origin(business_unit=unit, channel="cli"),
        member=member_ref(ref),
        attributes=[_attribute(text) for text in attributes or ()],
        add_segments=add or (),
        remove_segments=remove or (),
    )
    _set_birthday(request, birthday)
    if household == "-":
        request.clear_household = True
    elif household:
        request.household = household
    where = (server, token, ca)
    request.request_id = request_id or _request_id(request, _get(where, ref))
    answer = call_once(where, request)
    if json:
        console.print_json(answer)
    else:
        console.out.print("changed before" if answer.replayed else "changed")


def _request_id(request: pb.UpdateMemberRequest, now: pb.GetMemberResponse) -> str:
    """The same for the same change of the same state: what was undone may be told again."""
    told = request.SerializeToString(deterministic=True)
    known = now.SerializeToString(deterministic=True)
    return hashlib.sha256(told + known).hexdigest()


def _set_birthday(request: pb.UpdateMemberRequest, birthday: str) -> None:
    if birthday == "-":
        request.clear_birthday = True
    elif birthday:
        match = _BIRTHDAY.fullmatch(birthday)
        if match is None:
            console.fail(f"--birthday {birthday}: expected MM-DD or -", code=console.USAGE)
        request.birthday.month, request.birthday.day = int(match[1]), int(match[2])


def _attribute(text: str) -> pb.MemberAttribute:
    name, equals, value = text.partition("=")
    if not (name and equals):
        console.fail(f"--set {text}: expected NAME=VALUE", code=console.USAGE)
    given = pb.MemberAttribute(attribute=name)
    if value in _FLAGS:
        given.flag = _FLAGS[value]
    elif _WHOLE.fullmatch(value):
        given.whole = int(value)
    elif value.startswith("[") and value.endswith("]"):
        inner = value[1:-1]
        given.list.SetInParent()
        given.list.values.extend(part.strip() for part in inner.split(",") if inner)
    elif value:
        quoted = len(value) > 1 and value[0] == value[-1] == '"'
        given.text = value[1:-1] if quoted else value
    return given
