"""Some of the refusals. Written by `python -m server.status`."""

from loyalty_client.errors import Refusal


class IdentitiesDiffer(Refusal):
    """The identities of one enrolment belong to two members or more."""

    reason = "IDENTITIES_DIFFER"
    schemes: str


class TooManyConsents(Refusal):
    """The member has consents for as many purposes and channels as are remembered."""

    reason = "TOO_MANY_CONSENTS"
    limit: int
