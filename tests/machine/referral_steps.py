"""Steps of referrals: somebody says who brought them; what they buy does the rest."""

from hypothesis.stateful import rule

from loyalty.v1.member_service_pb2 import CreateReferralRequest
from tests.machine.steps import Steps, members


class ReferralSteps(Steps):
    """Whatever can be said of who brought whom."""

    @rule(member=members, referrer=members)
    def refer(self, member: str, referrer: str) -> None:
        """Somebody brought a member, or says so of themselves."""
        request = self.about(
            CreateReferralRequest, "b", member=self.ref(member), referrer=self.ref(referrer)
        )
        answer = self.both(request, lambda _: self.clerk.refer(member, referrer, self.now))
        if answer is not None:
            referral = self.real.account(self.ref(member)).care.referral
            assert referral is not None
            self.names[referral.referral_id] = f"reward of {self.clerk.place(member)}"
