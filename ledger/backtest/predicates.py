"""What history knows of members: predicates that were pinned, and those that can be worked out."""

from collections import Counter
from collections.abc import Mapping

import polars as pl

import rules
from ledger.core.instant import Instant
from rules.atoms import Predicate
from rules.conditions import atoms
from rules.expressions import PREFIX
from rules.predicates import BEFORE_ENROLMENT, is_held_out


def asked_by(policy: rules.Policy) -> frozenset[str]:
    """Give the predicates that the conditions of a policy ask."""
    plans = policy.plans
    conditions = [rule.condition for rule in plans.rules]
    conditions += [counter.condition for counter in plans.counters]
    found = {
        atom.text for node in conditions for atom in atoms(node) if isinstance(atom, Predicate)
    }
    for compiled in plans.predicates.expressions.compiled.values():
        found.update(f"{PREFIX}{name}" for name, _ in compiled.predicates)
    return frozenset(found)


class Known:
    """Gives documents the predicates that a draft asks; `missing` counts those nobody recorded.

    Of a member who was erased nobody will ever know: where a draft asks more than was recorded,
    their documents are left out, and counted.

    A hold-out follows from the member's id, and what was before enrolment from the history itself.
    What the draft asks and the policy of the document's time did not, is taken not to hold.
    """

    def __init__(
        self, draft: rules.Policy, policies: Mapping[str, rules.Policy], erased: frozenset[str]
    ) -> None:
        self._erased = sorted(erased)
        self._hold_outs = {
            f"holdout:{campaign.id}": (campaign.id, campaign.holdout)
            for campaign in draft.model.campaigns
            if campaign.holdout
        }
        self._enrolment = draft.model.documents.before_enrolment == "nothing"
        self._asked = asked_by(draft) - self._hold_outs.keys()
        self._known = {digest: asked_by(policy) for digest, policy in policies.items()}
        self._out: dict[tuple[str, str], bool] = {}
        self.missing: Counter[str] = Counter()
        self.left_out = 0
        """Documents of erased members."""
        self.left_out_members: set[str] = set()

    def with_predicates(self, documents: pl.DataFrame) -> pl.DataFrame:
        """Give every document that is not left out the predicates that hold under the draft."""
        documents = self._without_erased(documents)
        self._count(documents["policy"])
        lists = [pl.col("predicates").list.set_difference(pl.lit([BEFORE_ENROLMENT]))]
        for text in self._hold_outs:
            held = documents["member"].unique()
            flags = [self._is_out(text, member) for member in held]
            out = held.filter(pl.Series(flags, dtype=pl.Boolean))
            lists.append(_when(pl.col("member").is_in(out.implode()), text))
        if self._enrolment:
            before = (pl.col("occurred_at") < pl.col("enrolled_at")).fill_null(False)
            lists.append(_when(before, BEFORE_ENROLMENT))
        return documents.with_columns(pl.concat_list(lists).alias("predicates"))

    def _without_erased(self, documents: pl.DataFrame) -> pl.DataFrame:
        unknown = [digest for digest, asked in self._known.items() if self._asked - asked]
        if not (unknown and self._erased):
            return documents
        of_erased = pl.col("member").is_in(self._erased) & pl.col("policy").is_in(unknown)
        gone = documents.filter(of_erased)
        self.left_out += gone.height
        self.left_out_members.update(gone["member"].unique())
        return documents.filter(~of_erased)

    def _count(self, digests: pl.Series) -> None:
        for digest, count in digests.value_counts().iter_rows():
            for text in self._asked - self._known.get(digest, frozenset()):
                self.missing[text] += count

    def _is_out(self, text: str, member: str) -> bool:
        key = (text, member)
        if key not in self._out:
            campaign, share = self._hold_outs[text]
            assert share is not None
            self._out[key] = is_held_out(campaign, member, share)
        return self._out[key]


def _when(holds: pl.Expr, text: str) -> pl.Expr:
    none = pl.lit([], dtype=pl.List(pl.String))
    return pl.when(holds).then(pl.lit([text])).otherwise(none)


def in_force(policies: Mapping[str, rules.Policy], at: Instant) -> rules.Policy | None:
    """Give the policy that was in force at an instant: the highest version in effect."""
    known = [policy for policy in policies.values() if policy.effective_from <= at]
    return max(known, key=lambda policy: policy.version, default=None)
