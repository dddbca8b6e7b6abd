"""The programme over the wire: who may do what with a version, what is shown, what is refused."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest

from loyalty.v1 import programme_service_pb2 as pb
from loyalty.v1.types_pb2 import Points
from server.checking import policies as validation
from tests.server import requests
from tests.server.served import (
    POLICY,
    Caller,
    Served,
    info_of,
    refused,
    serving,
    violations_of,
)
from tests.server.test_drain import process
from tests.server.test_validation import refused as malformed

Code = grpc.StatusCode
TEXT = POLICY.read_text(encoding="utf-8")
BEGINS = next(line for line in TEXT.splitlines() if line.startswith("effective_from:"))
DIGEST = "0" * 64


def later(version: int, text: str = TEXT) -> str:
    """The sample policy in a later version, far ahead."""
    year = 2100 + version
    changed = text.replace(BEGINS, f"effective_from: {year}-01-01T00:00:00Z")
    return changed.replace("\nversion: 1\n", f"\nversion: {version}\n")


def draft(request_id: str, text: str, operator: str = "") -> pb.DraftPolicyRequest:
    return pb.DraftPolicyRequest(request_id=request_id, document=text, operator=operator)


async def test_a_version_is_led_to_force_by_two_clients(served: Served, caller: Caller) -> None:
    programme = caller.programme
    drafted = await programme.DraftPolicy(draft("d-1", later(2), "anna"))
    digest = drafted.policy.digest
    assert drafted.policy.author == "till/anna"
    assert drafted.policy.state == pb.POLICY_STATE_DRAFTED
    assert not drafted.policy.document
    simulated = await programme.RecordSimulation(
        pb.RecordSimulationRequest(
            request_id="s-1",
            digest=digest,
            report_digest="5" * 64,
            difference=[Points(currency="point", amount=-3)],
            documents=5,
        )
    )
    assert simulated.policy.simulations[0].difference[0].amount == -3
    approve = pb.ApprovePolicyRequest(request_id="a-1", digest=digest, operator="ben")
    status = await refused(
        programme.ApprovePolicy(approve), Code.FAILED_PRECONDITION, "APPROVER_IS_AUTHOR"
    )
    assert dict(info_of(status).metadata) == {"author": "till/anna", "approver": "till/ben"}
    async with served.caller(await served.token("chief")) as chief:
        approve.operator = "Anna"
        await refused(
            chief.programme.ApprovePolicy(approve), Code.FAILED_PRECONDITION, "APPROVER_IS_AUTHOR"
        )
        approve.operator = "ben"
        approved = await chief.programme.ApprovePolicy(approve)
        assert list(approved.policy.approvers) == ["chief/ben"]
    publish = pb.PublishPolicyRequest(request_id="p-9", digest=digest)
    published = await programme.PublishPolicy(publish)
    assert published.policy.state == pb.POLICY_STATE_SCHEDULED
    assert published.policy.document == later(2)
    assert (await programme.PublishPolicy(publish)).replayed
    shown = await programme.GetPolicy(pb.GetPolicyRequest(digest=digest))
    assert shown.policy == published.policy
    withdrawn = await programme.WithdrawPolicy(
        pb.WithdrawPolicyRequest(request_id="w-1", digest=digest, reason="not ready")
    )
    assert withdrawn.policy.state == pb.POLICY_STATE_WITHDRAWN


async def test_the_document_of_an_approved_draft_may_be_sent_in_place_of_its_digest(
    served: Served, caller: Caller
) -> None:
    drafted = await caller.programme.DraftPolicy(draft("d-1", later(2)))
    publish = pb.PublishPolicyRequest(request_id="p-9", document=later(2))
    await refused(
        caller.programme.PublishPolicy(publish), Code.FAILED_PRECONDITION, "POLICY_NOT_APPROVED"
    )
    async with served.caller(await served.token("chief")) as chief:
        await chief.programme.ApprovePolicy(
            pb.ApprovePolicyRequest(request_id="a-1", digest=drafted.policy.digest)
        )
    published = await caller.programme.PublishPolicy(publish)
    assert published.policy.digest == drafted.policy.digest


async def test_where_no_approval_is_asked_for_a_version_is_published_by_one(
    database: str, tmp_path: Path
) -> None:
    async with (
        serving(database, tmp_path, policy_approval="off") as served,
        served.caller(await served.token("till")) as caller,
    ):
        await served.with_member(caller)
        published = await caller.programme.PublishPolicy(
            pb.PublishPolicyRequest(request_id="p-2", document=later(2))
        )
        assert not published.policy.approvers
        assert published.policy.state == pb.POLICY_STATE_SCHEDULED


async def test_policies_in_force_cannot_be_withdrawn(caller: Caller) -> None:
    shown = await caller.programme.GetPolicy(pb.GetPolicyRequest())
    assert shown.policy.state == pb.POLICY_STATE_IN_FORCE
    request = pb.WithdrawPolicyRequest(request_id="w", digest=shown.policy.digest, reason="no")
    await refused(
        caller.programme.WithdrawPolicy(request), Code.FAILED_PRECONDITION, "POLICY_IN_FORCE"
    )
    request.digest = DIGEST
    await refused(caller.programme.WithdrawPolicy(request), Code.NOT_FOUND, "POLICY_NOT_DRAFTED")


async def test_policies_are_listed_page_by_page(caller: Caller) -> None:
    for version in (2, 3):
        await caller.programme.DraftPolicy(draft(f"d-{version}", later(version)))
    whole = await caller.programme.ListPolicies(pb.ListPoliciesRequest())
    assert [policy.version for policy in whole.policies] == [3, 2, 1]
    assert not any(policy.document for policy in whole.policies)
    request = pb.ListPoliciesRequest(page_size=2)
    first = await caller.programme.ListPolicies(request)
    request.page_token = first.next_page_token
    last = await caller.programme.ListPolicies(request)
    assert [*first.policies, *last.policies] == list(whole.policies)
    assert last.next_page_token == whole.next_page_token == ""
    request.page_token = "made up"
    status = await refused(
        caller.programme.ListPolicies(request), Code.INVALID_ARGUMENT, "MALFORMED"
    )
    assert violations_of(status) == ["page_token"]


async def test_a_document_is_judged_without_being_recorded(caller: Caller) -> None:
    good = await caller.programme.CheckPolicy(pb.CheckPolicyRequest(document=later(2)))
    assert not [each for each in good.findings if each.severity == "error"]
    assert (good.programme, good.version, len(good.digest)) == ("harbour", 2, 64)
    wrong = later(2).replace("currency: point", "currency: pint")
    bad = await caller.programme.CheckPolicy(pb.CheckPolicyRequest(document=wrong))
    assert bad.findings[0].severity == "error"
    assert bad.findings[0].line > 1
    assert "point" in bad.findings[0].message
    assert bad.digest == ""
    listed = await caller.programme.ListPolicies(pb.ListPoliciesRequest())
    assert len(listed.policies) == 1


async def test_the_programme_tells_what_numbers_mean(caller: Caller) -> None:
    programme = await caller.programme.GetProgramme(pb.GetProgrammeRequest())
    assert (programme.programme, programme.version) == ("harbour", 1)
    roles = {each.currency: each.role for each in programme.currencies}
    assert roles["point"] == "spendable"
    units = {each.business_unit: each for each in programme.business_units}
    assert units["market"].currency_code == "USD"
    assert units["market"].point_value.endswith("USD")
    assert programme.tiers[0] != programme.tiers[-1]
    assert "check_in" in programme.activities
    before = pb.GetProgrammeRequest()
    before.effective_time.FromSeconds(0)
    await refused(caller.programme.GetProgramme(before), Code.FAILED_PRECONDITION, "NO_POLICY")


async def test_what_differs_between_two_policies_is_said(caller: Caller) -> None:
    same = await caller.programme.DiffPolicies(
        pb.DiffPoliciesRequest(to=pb.PolicyChoice(version=1))
    )
    assert not same.differences
    changed = TEXT.replace("months: 9", "months: 8")
    answer = await caller.programme.DiffPolicies(
        pb.DiffPoliciesRequest(to=pb.PolicyChoice(document=changed))
    )
    assert len(answer.differences) == 1
    assert "8" in answer.differences[0]
    await refused(
        caller.programme.DiffPolicies(pb.DiffPoliciesRequest(to=pb.PolicyChoice(version=7))),
        Code.NOT_FOUND,
        "UNKNOWN_POLICY",
    )
    broken = pb.DiffPoliciesRequest(to=pb.PolicyChoice(document="programme: ["))
    await refused(caller.programme.DiffPolicies(broken), Code.INVALID_ARGUMENT, "POLICY_INVALID")


CALLS: dict[str, Callable[[Any], Any]] = {
    "DraftPolicy": lambda stub: stub.DraftPolicy(draft("x", "x")),
    "RecordSimulation": lambda stub: stub.RecordSimulation(pb.RecordSimulationRequest()),
    "ApprovePolicy": lambda stub: stub.ApprovePolicy(pb.ApprovePolicyRequest()),
    "PublishPolicy": lambda stub: stub.PublishPolicy(pb.PublishPolicyRequest()),
    "WithdrawPolicy": lambda stub: stub.WithdrawPolicy(pb.WithdrawPolicyRequest()),
    "CheckPolicy": lambda stub: stub.CheckPolicy(pb.CheckPolicyRequest()),
    "GetProgramme": lambda stub: stub.GetProgramme(pb.GetProgrammeRequest()),
    "GetPolicy": lambda stub: stub.GetPolicy(pb.GetPolicyRequest()),
    "ListPolicies": lambda stub: stub.ListPolicies(pb.ListPoliciesRequest()),
    "DiffPolicies": lambda stub: stub.DiffPolicies(pb.DiffPoliciesRequest()),
}


async def test_every_call_needs_its_verb(served: Served) -> None:
    token = await served.token("nobody", verbs=("earn",))
    async with served.caller(token) as caller:
        for name, call in CALLS.items():
            status = await refused(call(caller.programme), Code.PERMISSION_DENIED, "PERMISSION")
            reads = name.startswith(("Get", "List", "Diff"))
            assert info_of(status).metadata["verb"] == ("read" if reads else "policy"), name
    contract = pb.DESCRIPTOR.services_by_name["ProgrammeService"]
    assert set(CALLS) == {method.name for method in contract.methods}


async def test_two_processes_see_each_others_publications(database: str, tmp_path: Path) -> None:
    async with (
        process(database, tmp_path) as (_, one_address),
        process(database, tmp_path) as (_, two_address),
    ):
        one, two = Served(one_address, database), Served(two_address, database)
        authors, chiefs = await one.token("till"), await one.token("chief")
        async with one.caller(authors) as first, two.caller(chiefs) as second:
            await one.with_member(first)
            digest = (await first.programme.DraftPolicy(draft("d", later(2)))).policy.digest
            approve = pb.ApprovePolicyRequest(request_id="a", digest=digest)
            withdraw = pb.WithdrawPolicyRequest(request_id="w", digest=digest, reason="no")
            await second.programme.ApprovePolicy(approve)
            publish = pb.PublishPolicyRequest(request_id="p", digest=digest)
            published = await first.programme.PublishPolicy(publish)
            assert list(published.policy.approvers) == ["chief"]
            shown = await second.programme.GetPolicy(pb.GetPolicyRequest(version=2))
            assert shown.policy.state == pb.POLICY_STATE_SCHEDULED
            await second.programme.WithdrawPolicy(withdraw)
            shown = await first.programme.GetPolicy(pb.GetPolicyRequest(version=2))
            assert shown.policy.state == pb.POLICY_STATE_WITHDRAWN
            # The first policy was published by one process; the other's tills earn under it.
            await asyncio.sleep(2.5)
            answer = await second.ledger.PostDocument(requests.sale())
            assert answer.posting.entry_id


FAULTS: list[tuple[Callable[[Any], None], Any, str]] = [
    (validation.draft_policy, draft("", "x"), "request_id"),
    (validation.draft_policy, draft("d", ""), "document"),
    (validation.draft_policy, draft("d", "x", "a" * 65), "operator"),
    (validation.draft_policy, draft("d", "x", "a\nb"), "operator"),
    (validation.check_policy, pb.CheckPolicyRequest(), "document"),
    (
        validation.record_simulation,
        pb.RecordSimulationRequest(request_id="s", digest=DIGEST, report_digest="5"),
        "report_digest",
    ),
    (
        validation.record_simulation,
        pb.RecordSimulationRequest(
            request_id="s",
            digest=DIGEST,
            report_digest=DIGEST,
            difference=[Points(currency="p"), Points(currency="p")],
        ),
        "difference[1].currency",
    ),
    (
        validation.record_simulation,
        pb.RecordSimulationRequest(
            request_id="s", digest=DIGEST, report_digest=DIGEST, documents=-1
        ),
        "documents",
    ),
    (
        validation.approve_policy,
        pb.ApprovePolicyRequest(request_id="a", digest="A" * 64),
        "digest",
    ),
    (
        validation.approve_policy,
        pb.ApprovePolicyRequest(request_id="a", digest=DIGEST, note="n" * 1001),
        "note",
    ),
    (
        validation.publish_policy,
        pb.PublishPolicyRequest(request_id="p", digest=DIGEST, document="x"),
        "document",
    ),
    (validation.withdraw_policy, pb.WithdrawPolicyRequest(request_id="w", digest=DIGEST), "reason"),
    (validation.get_policy, pb.GetPolicyRequest(digest="x"), "digest"),
    (validation.list_policies, pb.ListPoliciesRequest(page_size=1001), "page_size"),
    (validation.diff_policies, pb.DiffPoliciesRequest(), "to"),
    (
        validation.diff_policies,
        pb.DiffPoliciesRequest(
            **{"from": pb.PolicyChoice(version=0), "to": pb.PolicyChoice(version=1)}
        ),
        "from.version",
    ),
]


@pytest.mark.parametrize(("check", "request_", "field"), FAULTS)
def test_a_request_with_one_fault_is_refused_at_its_path(
    check: Callable[[Any], None], request_: Any, field: str
) -> None:
    assert malformed(check, request_).field == field
