"""POSLog: what its transactions mean, the recorded ones and those written by hand."""

from pathlib import Path

import pytest

from adapters.frame import moments
from adapters.frame.translating import Result
from adapters.frame.words import Delivery, Nothing, Parked, Statement, Unreadable, Verdict
from adapters.poslog import ADAPTER
from loyalty.v1.types_pb2 import DOCUMENT_STATUS_CANCELLED, DOCUMENT_STATUS_FINAL
from tests.adapters import till_log
from tests.adapters.rig import connection, lines_of, only, rig, statement, translate
from tests.adapters.till_log import back, control, log, member, sold, ticket, totals
from tests.server.served import Caller, Served

NEW_YORK = "2026-03-01T12:00:00-05:00"


def meaning(*told: bytes, more: str = "", payments: str = "") -> dict[str, Result]:
    return translate(till_log.mapping(more, payments), *told, content_type="application/xml")


def worth(*inside: str, more: str = "", namespace: str = till_log.PLAIN) -> list[tuple[str, int]]:
    return lines_of(statement(meaning(log(ticket(*inside), namespace=namespace), more=more)))


# --- recorded payloads, as their index says ----------------------------------------------------


@pytest.mark.parametrize(
    ("name", "key", "base", "whose"),
    [
        ("loyalty_sale_1", "9/2017-10-01/1/377", 200_38, "9999999995798828855448247"),
        ("small_loyalty_percentoff", "9/2017-09-30/34/161", 1_07, "9999999997426974477605327"),
        ("sale_with_void_line", "", 348_89, ""),
        ("anonymous_sale", "", 19_51, ""),
    ],
)
def test_a_recorded_ticket_is_its_total_less_tax(
    payloads: Path, name: str, key: str, base: int, whose: str
) -> None:
    results = meaning((payloads / "poslog" / f"ncr_acs_{name}.xml").read_bytes())
    (stated,) = (each for each in results.values() if isinstance(each, Statement))
    assert sum(amount for _, amount in lines_of(stated)) == base
    assert [each.value for each in stated.members] == ([whose] if whose else [])
    assert stated.document.status == DOCUMENT_STATUS_FINAL
    if key:
        assert stated.document.document_id == key
    others = [each for name, each in results.items() if name.startswith("control/")]
    assert others == ([Nothing("control")] if name.startswith("small") else [])


def test_a_recorded_sign_on_is_kept_by_its_number(payloads: Path) -> None:
    results = meaning((payloads / "poslog" / "ncr_acs_control_signon.xml").read_bytes())
    assert results == {"control/9/2017-10-01/5/61": Nothing("control")}


def test_the_recorded_ticket_after_midnight_is_of_the_clock_or_of_its_business_day(
    payloads: Path,
) -> None:
    told = (payloads / "poslog" / "ncr_acs_small_loyalty_percentoff.xml").read_bytes()
    name = "ticket/9/2017-09-30/34/161"
    by_clock = meaning(told)[name]
    by_business = meaning(told, more="  day_of: business\n")[name]
    assert isinstance(by_clock, Statement)
    assert isinstance(by_business, Statement)
    assert by_clock.occurred_at == moments.instant("2017-10-01T02:02:54-04:00", "")
    assert by_business.occurred_at == moments.instant("2017-09-30T23:59:59-04:00", "")


# --- money -------------------------------------------------------------------------------------


def test_tax_on_top_of_the_lines_is_not_earned_on() -> None:
    assert worth(sold(1, "10.00"), sold(2, "20.00"), totals("33.00", "3.00")) == [
        ("grocery", 10_00),
        ("grocery", 20_00),
    ]


def test_tax_in_the_lines_is_taken_out_each_its_own() -> None:
    taxed = sold(1, "11.00", more="<Tax><Amount>1.00</Amount></Tax>")
    assert worth(taxed, sold(2, "20.00"), totals("31.00", "1.00")) == [
        ("grocery", 10_00),
        ("grocery", 20_00),
    ]
    assert worth(sold(1, "10.00"), sold(2, "20.00"), totals("27.00", "0.00")) == [
        ("grocery", 9_00),
        ("grocery", 18_00),
    ]


def test_a_total_without_tax_is_taken_as_it_is() -> None:
    told = sold(1, "10.00"), totals("10.00", "1.00")
    assert worth(*told) == [("grocery", 9_00)]
    text = till_log.mapping().replace("with_tax", "without_tax")
    assert lines_of(statement(translate(text, log(ticket(*told))))) == [("grocery", 10_00)]


def test_a_discount_of_a_line_stays_with_it_and_one_of_the_ticket_is_shared() -> None:
    off = "<RetailPriceModifier><Amount>4.00</Amount></RetailPriceModifier>"
    lines = sold(1, "10.00", more=off), sold(2, "10.00")
    assert worth(*lines, totals("16.00")) == [("grocery", 6_00), ("grocery", 10_00)]
    assert worth(*lines, totals("8.00")) == [("grocery", 3_00), ("grocery", 5_00)]
    assert worth(*lines, totals("20.00")) == [("grocery", 10_00)] * 2, "the amounts know of it"
    whole = "<LineItem><Discount><Amount>5.00</Amount></Discount></LineItem>"
    assert worth(sold(1, "10.00"), whole) == [("grocery", 5_00)], "where no total is told"


def test_a_reward_takes_off_its_line_once_though_it_is_told_twice() -> None:
    def reward(number: int, amount: str) -> str:
        return (
            "<LineItem><LoyaltyReward><acs:RewardCategory>Monetary</acs:RewardCategory>"
            f"<acs:ExtendedRewardAmount>{amount}</acs:ExtendedRewardAmount>"
            f"<acs:OperatorSequenceReference>{number}</acs:OperatorSequenceReference>"
            "</LoyaltyReward></LineItem>"
        )

    line = sold(1, "10.00", more="<acs:OperatorSequence>5</acs:OperatorSequence>")
    told = line, sold(2, "10.00"), reward(5, "-2.00"), reward(0, "-2.00"), totals("18.00")
    assert worth(*told, namespace=till_log.ACS) == [("grocery", 8_00), ("grocery", 10_00)]


def test_a_void_line_counts_not_and_one_below_nothing_takes_its_article_back() -> None:
    void = sold(2, "7.00", flag="void")
    assert worth(sold(1, "10.00"), void, totals("10.00")) == [("grocery", 10_00)]
    taken = sold(3, "-10.00", item="B2", flag="void")
    assert worth(sold(1, "5.00"), sold(2, "10.00", item="B2"), taken, totals("5.00")) == [
        ("grocery", 5_00),
        ("grocery", 0),
    ]


def test_gift_cards_earn_nothing_and_take_no_discount() -> None:
    card = sold(2, "50.00", item="G", flag="GiftCertificate")
    assert worth(sold(1, "20.00"), card, totals("60.00")) == [
        ("grocery", 10_00),
        ("gift_card", 50_00),
    ]


def test_two_identical_lines_are_both_real() -> None:
    assert worth(sold(1, "5.00"), sold(1, "5.00"), totals("10.00")) == [("grocery", 5_00)] * 2


def test_more_lines_than_a_document_holds_are_put_together_by_department() -> None:
    hierarchy = '<MerchandiseHierarchy Level="Department">50</MerchandiseHierarchy>'
    lines = [sold(at, "1.00", item=f"I{at}", more=hierarchy) for at in range(1, 601)]
    assert worth(*lines, totals("600.00")) == [("household", 600_00)]


def test_tenders_may_be_told_and_points_among_them_earn_nothing() -> None:
    rows = "payments:\n  - {code: Cash, kind: cash}\n  - {code: Points, kind: p, points: true}\n"
    tenders = "".join(
        f'<LineItem><Tender TenderType="{kind}"><Amount>{amount}</Amount></Tender></LineItem>'
        for kind, amount in (("Cash", "6.00"), ("Points", "4.00"), ("Cash", "-1.00"))
    )
    told = log(ticket(sold(1, "9.00"), tenders, totals("9.00")))
    document = statement(meaning(told, payments=rows)).document
    assert [(each.kind, each.minor_units) for each in document.payments] == [
        ("cash", 6_00),
        ("p", 4_00),
    ]
    assert document.lines[0].paid_with_points_minor_units == 4_00


# --- returns and what never was ----------------------------------------------------------------


def test_a_linked_return_is_taken_off_the_ticket_it_names() -> None:
    sale = ticket(sold(1, "10.00"), sold(2, "20.00", item="B2"), member(), totals("30.00"))
    later = ticket(back(1, "20.00", 1, line=2), totals("-20.00"), number=2)
    results = meaning(log(sale, later))
    left = statement({"": results["ticket/9/2026-03-01/1/1"]})
    assert lines_of(left) == [("grocery", 10_00)]
    assert results["ticket/9/2026-03-01/1/2"] == Nothing("no_sale")
    by_article = ticket(back(1, "5.00", 1, item="B2"), totals("-5.00"), number=2)
    results = meaning(log(by_article), log(sale), log(by_article))
    assert lines_of(statement({"": results["ticket/9/2026-03-01/1/1"]})) == [
        ("grocery", 10_00),
        ("grocery", 15_00),
    ]


def test_a_return_before_its_sale_waits() -> None:
    results = meaning(log(ticket(back(1, "5.00", 77), totals("-5.00"), number=2)))
    waits = results["ticket/9/2026-03-01/1/77"]
    assert isinstance(waits, Parked)
    assert waits.reason == "sale_missing"


def test_an_exchange_counts_what_was_bought_for_its_own_ticket() -> None:
    told = ticket(sold(1, "30.00"), back(2, "20.00", 1), totals("10.00"), number=2)
    stated = meaning(log(told))["ticket/9/2026-03-01/1/2"]
    assert lines_of(statement({"": stated})) == [("grocery", 30_00)]
    unlinked = sold(1, "30.00"), sold(2, "20.00", kind="Return"), totals("10.00")
    assert worth(*unlinked) == [("grocery", 10_00)]
    alone = ticket(sold(1, "20.00", kind="Return"), totals("-20.00"))
    assert only(meaning(log(alone))) == Nothing("unlinked_return")


@pytest.mark.parametrize(
    ("flags", "sale", "reason"),
    [
        ('TrainingModeFlag="true"', "", "test"),
        ('SuspendFlag="1"', "", "suspended"),
        ("", 'TransactionStatus="Suspended"', "suspended"),
    ],
)
def test_training_and_suspended_tickets_are_dropped(flags: str, sale: str, reason: str) -> None:
    told = log(ticket(sold(1, "5.00"), flags=flags, sale=sale))
    assert only(meaning(told)) == Nothing(reason)


@pytest.mark.parametrize(
    ("flags", "sale"),
    [('CancelFlag="true"', ""), ('VoidedFlag="true"', ""), ("", 'TransactionStatus="Voided"')],
)
def test_a_void_ticket_is_cancelled_whether_or_not_it_counted_before(flags: str, sale: str) -> None:
    void = log(ticket(sold(1, "5.00"), flags=flags, sale=sale))
    good = log(ticket(sold(1, "5.00")))
    for told in ([void], [good, void], [void, good]):
        assert statement(meaning(*told)).document.status == DOCUMENT_STATUS_CANCELLED


def test_a_later_ticket_may_make_one_void() -> None:
    link = (
        '<TransactionLink ReasonCode="PostVoid"><SequenceNumber>1</SequenceNumber>'
        "</TransactionLink>"
    )
    results = meaning(log(ticket(sold(1, "5.00")), ticket(link, number=2)))
    gone = statement({"": results["ticket/9/2026-03-01/1/1"]})
    assert gone.document.status == DOCUMENT_STATUS_CANCELLED


# --- places, times, numbers --------------------------------------------------------------------


def test_a_clock_without_zone_is_the_stores() -> None:
    assert statement(meaning(log(ticket(sold(1, "5.00"))))).occurred_at == moments.instant(
        NEW_YORK, ""
    )
    told = ticket(sold(1, "5.00"), ended="2026-03-01T12:00:00Z")
    assert statement(meaning(log(told))).occurred_at == moments.instant("2026-03-01T12:00Z", "")


def test_a_later_version_of_the_standard_is_read_alike() -> None:
    told = ticket(
        '<LineItem><SequenceNumber>1</SequenceNumber><Sale ItemType="Stock"><ItemID>A</ItemID>'
        '<UnitListPrice Currency="USD">2.50</UnitListPrice><Quantity>4</Quantity></Sale></LineItem>'
        '<Total TotalType="TransactionGrandAmount" Currency="USD">10.00</Total>'
        "<Customer><CustomerID>C1</CustomerID></Customer>",
        currency="",
    ).replace("<RetailStoreID>9</RetailStoreID>", "<BusinessUnit><UnitID>9</UnitID></BusinessUnit>")
    stated = statement(meaning(log(told, namespace='xmlns="http://www.nrf-arts.org/v6"')))
    assert lines_of(stated) == [("grocery", 10_00)]
    assert [each.value for each in stated.members] == ["C1"]


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (ticket(sold(1, "5.00"), store="77"), "unmapped_place"),
        (ticket(sold(1, "5.00"), currency="EUR"), "unmapped_currency"),
        (ticket(sold(1, "5.00"), currency="", store="10"), "unmapped_currency"),
    ],
)
def test_what_no_row_names_is_parked(told: str, reason: str) -> None:
    result = only(meaning(log(told)))
    assert isinstance(result, Parked)
    assert result.reason == reason


@pytest.mark.parametrize(
    "told",
    [
        ticket(sold(1, "5.005")),
        ticket(sold(1, "five")),
        ticket(sold(1, "5.00").replace("<Quantity>1", "<Quantity>-1")),
        ticket(sold(1, "5.00"), ended="yesterday"),
        ticket(sold(1, "5.00"), ended=""),
        ticket(sold(1, "5.00")).replace("<WorkstationID>1</WorkstationID>", ""),
    ],
)
def test_what_cannot_be_read_is_a_dead_letter_of_its_ticket_alone(told: str) -> None:
    results = meaning(log(told, ticket(sold(1, "6.00"), number=2)))
    assert sum(isinstance(each, Unreadable) for each in results.values()) == 1
    assert lines_of(statement({"": results["ticket/9/2026-03-01/1/2"]})) == [("grocery", 6_00)]


def test_hostile_or_cut_logs_are_refused() -> None:
    bomb = b'<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;&b;">]><POSLog>&c;</POSLog>'
    assert isinstance(only(meaning(bomb)), Unreadable)
    assert isinstance(only(meaning(log(ticket(sold(1, "5.00")))[:-12])), Unreadable)


def test_gaps_are_numbers_that_a_till_left_out_whatever_they_were_for() -> None:
    told = log(*(ticket(sold(1, "5.00"), number=at) for at in (1, 2, 5)), control(7))
    found = ADAPTER.gaps(meaning(told))
    assert found == [
        "store 9, 2026-03-01, workstation 1: 3 to 4 are missing",
        "store 9, 2026-03-01, workstation 1: 6 is missing",
    ]
    assert not ADAPTER.gaps(["ticket/9/2026-03-01/1/9999", "ticket/9/2026-03-01/1/1"])


def test_card_numbers_of_tenders_are_not_kept() -> None:
    card = "<LineItem><Tender><AccountNumber>4111111111111111</AccountNumber></Tender></LineItem>"
    told = log(ticket(sold(1, "5.00"), card))
    kept = ADAPTER.redacted(Delivery(told)).body
    assert b"4111" not in kept
    assert lines_of(statement(meaning(kept))) == [("grocery", 5_00)]


@pytest.mark.database
async def test_a_posted_log_counts_once_and_its_return_takes_back(
    served: Served, caller: Caller, tmp_path: Path
) -> None:
    async with rig(served, caller, tmp_path, till_log.mapping(), till_log.SECRETS) as at:
        await at.enrol("card", "M1", unit="market")
        sale = log(ticket(sold(1, "30.00"), member(), totals("30.00")), control(2))
        for _ in range(2):
            assert (await at.post(sale, till_log.signed())).status_code == 200
            await at.work()
        assert await at.points("card", "M1") == 30
        assert ("dropped", "control") in await at.items()
        later = log(ticket(back(1, "10.00", 1), number=3, ended="2026-03-02T12:00:00"))
        await at.post(later, till_log.signed())
        await at.work()
        assert await at.points("card", "M1") == 20
        assert (await at.post(sale, till_log.signed("till:no"))).status_code == 401
        assert (await at.post(sale[:-9], till_log.signed())).status_code == 400


def test_another_password_is_forged() -> None:
    made = connection(till_log.mapping(), till_log.SECRETS)
    told = log(ticket(sold(1, "5.00")))
    assert ADAPTER.verify(Delivery(told, till_log.signed()), made) is Verdict.GENUINE
    assert ADAPTER.verify(Delivery(told, till_log.signed("till:x")), made) is Verdict.FORGED
    assert ADAPTER.verify(Delivery(told), made) is Verdict.FORGED
