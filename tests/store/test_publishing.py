"""Publishing a policy: what it costs everybody else while it is checked."""

import pytest

import rules
from ledger.core.refusals import PolicyExists, PolicyInvalid, RetroactivePolicy, UnknownCategory
from ledger.policies import KNOWN_MAX
from tests.store.till import POLICY, open_till


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The versions that were compiled, in order."""
    versions: list[int] = []
    compile_policy = rules.compile_policy

    def noted(document: rules.PolicyDocument) -> rules.Policy:
        policy = compile_policy(document)
        versions.append(policy.version)
        return policy

    monkeypatch.setattr(rules, "compile_policy", noted)
    return versions


async def test_a_policy_is_compiled_once_where_it_is_published(
    database: str, compiled: list[int]
) -> None:
    async with open_till(database) as till:
        await till.publish()
        assert compiled == [1]
        member = await till.enrol("1")
        await till.post(till.document(member, "D1", 1, 10000))
        assert await till.available(member) == 100
    async with open_till(database) as till:
        assert compiled == [1, 1]
        assert await till.available(member) == 100


async def test_what_can_be_refused_without_compiling_is(database: str, compiled: list[int]) -> None:
    async with open_till(database, approval_required=False) as till:
        await till.publish()
        with pytest.raises(PolicyExists):
            await till.publish(POLICY + "# again\n")
        with pytest.raises(RetroactivePolicy):
            await till.publish(POLICY.replace("version: 1", "version: 2"))
        with pytest.raises(PolicyInvalid, match="this ledger is of programme 'test'"):
            await till.publish(POLICY.replace("programme: test", "programme: other"))
        assert compiled == [1]


async def test_a_refusal_names_some_of_many_categories(database: str) -> None:
    listed = ", ".join(f"c{number}" for number in range(3000))
    async with open_till(database) as till:
        await till.publish(POLICY.replace("[food,", f"[{listed},"))
        member = await till.enrol("1")
        with pytest.raises(UnknownCategory) as refused:
            await till.post(till.document(member, "D1", 1, 10000))
        assert str(refused.value.fields["known"]).count(",") == KNOWN_MAX
