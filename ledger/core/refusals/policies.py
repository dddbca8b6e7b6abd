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
    """This version of the policy was published before with another content."""

    advice = "Raise the version of the policy document."
    sentence = "version {version} of {programme!r} was published with digest {digest}"
    programme: str
    version: int
    digest: str


@dataclass(eq=False, kw_only=True)
class RetroactivePolicy(Refusal):
    """The policy would be in force from an instant that is not in the future."""

    advice = "Set effective_from to an instant at or after the earliest one named."
    sentence = "the policy takes effect at {effective_time}, the earliest possible is {earliest}"
    effective_time: str
    earliest: str


@dataclass(eq=False, kw_only=True)
class UnknownPolicy(Refusal):
    """No such policy was published."""

    advice = "Ask for a version or digest that was published."
    sentence = "there is no policy {policy!r}"
    policy: str


@dataclass(eq=False, kw_only=True)
class NoPolicy(Refusal):
    """No policy was in force when it happened."""

    advice = "Publish a policy that is in force at that instant, or correct occurred_time."
    sentence = "no policy is in force at {occurred_time}"
    occurred_time: str
