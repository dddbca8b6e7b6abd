"""Refusals of policies, and for want of one."""

from dataclasses import dataclass

from ledger.core.refusals.base import Refusal


@dataclass(eq=False, kw_only=True)
class PolicyInvalid(Refusal):
    """The policy document cannot be used."""

    advice = "Correct the document; `loyalty policy check` lists what is wrong with it, with lines."
    sentence = "{where}: {problem}"
    where: str
    problem: str


@dataclass(eq=False, kw_only=True)
class PolicyExists(Refusal):
    """This version of the policy was published before."""

    advice = (
        "Nothing is to be done where the digest is that of your document: it is published already."
        " To publish another document, raise its version."
    )
    sentence = "version {version} of {programme!r} was published already, with digest {digest}"
    programme: str
    version: int
    digest: str


@dataclass(eq=False, kw_only=True)
class DraftExists(Refusal):
    """The very same document was drafted before."""

    advice = "Go on with that draft by its digest; to draft another, change the document."
    sentence = "digest {digest} was drafted before by {author}"
    digest: str
    author: str


@dataclass(eq=False, kw_only=True)
class PolicyNotDrafted(Refusal):
    """There is no draft of this policy."""

    advice = "Check the digest, or draft the document first: `loyalty policy draft FILE`."
    sentence = "there is no draft with digest {digest}"
    digest: str


@dataclass(eq=False, kw_only=True)
class PolicyWithdrawn(Refusal):
    """The draft or policy was withdrawn."""

    advice = "Raise the version of the document and draft it anew."
    sentence = "digest {digest} was withdrawn by {withdrawer}"
    digest: str
    withdrawer: str


@dataclass(eq=False, kw_only=True)
class ApproverIsAuthor(Refusal):
    """Nobody may approve a draft of their own."""

    advice = (
        "Let another person approve it, with a token of their own: another client than the"
        " author's and, where both name an operator, another operator."
    )
    sentence = "{approver} cannot approve what {author} drafted"
    author: str
    approver: str


@dataclass(eq=False, kw_only=True)
class PolicyNotApproved(Refusal):
    """The draft was not approved by a second person."""

    advice = "Let another person approve it: `loyalty policy approve DIGEST`, then publish again."
    sentence = "version {version} with digest {digest}, drafted by {author}, is not approved"
    version: int
    digest: str
    author: str


@dataclass(eq=False, kw_only=True)
class RetroactivePolicy(Refusal):
    """The policy would be in force from an instant that is not in the future."""

    advice = (
        "Set effective_from to an instant at or after the earliest one named, or allow it"
        " (`--allow-retroactive` on the command line): what was posted before keeps what it got."
    )
    sentence = "the policy takes effect at {effective_time}, the earliest possible is {earliest}"
    effective_time: str
    earliest: str


@dataclass(eq=False, kw_only=True)
class PolicyOverlaps(Refusal):
    """A lower version would take effect when a higher one already has."""

    advice = (
        "Let higher versions take effect later than lower ones, withdraw the other one, or allow"
        " the overlap: the highest version wins."
    )
    sentence = (
        "version {version} takes effect at {effective_time}, version {other_version} at"
        " {other_effective_time}"
    )
    version: int
    effective_time: str
    other_version: int
    other_effective_time: str


@dataclass(eq=False, kw_only=True)
class PolicyInForce(Refusal):
    """The policy has taken effect, or is about to, so it cannot be withdrawn."""

    advice = "Publish a higher version that says what shall hold from now on."
    sentence = (
        "version {version} takes effect at {effective_time}, and could be withdrawn before {latest}"
    )
    version: int
    effective_time: str
    latest: str


@dataclass(eq=False, kw_only=True)
class UnknownPolicy(Refusal):
    """No such policy was published, or drafted where a digest is asked for."""

    advice = "Ask for a version that was published; `loyalty policy list` names them."
    sentence = "there is no policy {policy!r}"
    policy: str


@dataclass(eq=False, kw_only=True)
class NoPolicy(Refusal):
    """No policy was in force when it happened."""

    advice = "Publish a policy that is in force at that instant, or correct occurred_time."
    sentence = "no policy is in force at {occurred_time}"
    occurred_time: str
