"""Some of the refusals. Written by `python -m server.status`."""

from loyalty_client.errors import Refusal


class PolicyInvalid(Refusal):
    """The policy document cannot be used."""

    reason = "POLICY_INVALID"
    where: str
    problem: str


class PolicyExists(Refusal):
    """This version of the policy was published before."""

    reason = "POLICY_EXISTS"
    programme: str
    version: int
    digest: str


class DraftExists(Refusal):
    """The very same document was drafted before."""

    reason = "DRAFT_EXISTS"
    digest: str
    author: str


class PolicyNotDrafted(Refusal):
    """There is no draft of this policy."""

    reason = "POLICY_NOT_DRAFTED"
    digest: str


class PolicyWithdrawn(Refusal):
    """The draft or policy was withdrawn."""

    reason = "POLICY_WITHDRAWN"
    digest: str
    withdrawer: str


class ApproverIsAuthor(Refusal):
    """Nobody may approve a draft of their own."""

    reason = "APPROVER_IS_AUTHOR"
    author: str
    approver: str


class PolicyNotApproved(Refusal):
    """The draft was not approved by a second person."""

    reason = "POLICY_NOT_APPROVED"
    version: int
    digest: str
    author: str


class RetroactivePolicy(Refusal):
    """The policy would be in force from an instant that is not in the future."""

    reason = "RETROACTIVE_POLICY"
    effective_time: str
    earliest: str


class PolicyOverlaps(Refusal):
    """A lower version would take effect when a higher one already has."""

    reason = "POLICY_OVERLAPS"
    version: int
    effective_time: str
    other_version: int
    other_effective_time: str


class PolicyInForce(Refusal):
    """The policy has taken effect, or is about to, so it cannot be withdrawn."""

    reason = "POLICY_IN_FORCE"
    version: int
    effective_time: str
    latest: str


class UnknownPolicy(Refusal):
    """No such policy was published, or drafted where a digest is asked for."""

    reason = "UNKNOWN_POLICY"
    policy: str


class NoPolicy(Refusal):
    """No policy was in force when it happened."""

    reason = "NO_POLICY"
    occurred_time: str
