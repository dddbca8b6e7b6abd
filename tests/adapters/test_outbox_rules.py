"""What outgoing messages say, how they are signed, where they may go, what a file may say: pure."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from standardwebhooks.webhooks import Webhook

from adapters.frame.connections import connection_of, mapping_files, settings_models
from adapters.frame.mapping import MappingRefused, parse
from adapters.frame.moments import DAY, SECOND
from adapters.frame.outbox.addresses import Forbidden, Unknown, is_public, target_of
from adapters.frame.outbox.following import take
from adapters.frame.outbox.messages import (
    ERASED,
    MERGED,
    Member,
    Message,
    next_look,
    states_of,
)
from adapters.frame.outbox.sending import ATTEMPTS_MAX, LONGEST_SECONDS, pause_after
from adapters.frame.outbox.signing import headers_of, problem_of
from adapters.frame.outbox.store import Progress
from adapters.frame.outbox.subscription import Subscription, checked, read, read_all
from adapters.frame.outbox.webhooks import WebhookReceiver
from loyalty.v1.account_service_pb2 import Account, Lot
from loyalty.v1.audit_service_pb2 import RecordedEvent
from loyalty.v1.events_pb2 import MERGE_STAGE_MERGED, Event, MergeStepped
from tests.adapters import shop
from tests.adapters.outboxes import OLDER_SECRET, SECRET, file_of, subscription

NOW = 1_790_000_000 * SECOND


def test_a_signature_is_that_of_the_specification() -> None:
    # The example of the Standard Webhooks specification.
    body = '{"event_type":"ping","data":{"success":true}}'
    headers = headers_of(
        "msg_loFOjxBNrRLzqYUf",
        body,
        ["whsec_plJ3nmyCDGBKInavdOK15jsl"],
        sent_at=1_731_705_121 * SECOND + 999_999,
    )
    assert headers == {
        "webhook-id": "msg_loFOjxBNrRLzqYUf",
        "webhook-timestamp": "1731705121",
        "webhook-signature": "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=",
    }


def test_two_secrets_make_two_signatures_and_each_verifies() -> None:
    sent_at = int(datetime.now(UTC).timestamp()) * SECOND
    headers = dict(headers_of("msg_1", '{"a":1}', [SECRET, OLDER_SECRET], sent_at=sent_at))
    assert headers["webhook-signature"].count("v1,") == 2
    for secret in (SECRET, OLDER_SECRET):
        assert Webhook(secret).verify('{"a":1}', headers) == {"a": 1}


@pytest.mark.parametrize(
    "secret", ["", "hush", "whsec_", "whsec_c2hvcnQ=", "whsec_no base64!", "whsec_" + "QUFB" * 30]
)
def test_a_secret_that_is_none_is_told_without_showing_it(secret: str) -> None:
    assert problem_of(secret).startswith("expected whsec_")
    assert not problem_of(SECRET)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1::1", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("ff02::1", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::a00:1", False),
        ("2002:a00:1::", False),
    ],
)
def test_only_public_addresses_are_everybodys(address: str, public: bool) -> None:
    assert is_public(address) is public


async def test_a_receiver_in_a_private_network_is_refused_unless_the_file_allows_it() -> None:
    for url in (
        "https://127.0.0.1/",
        "https://localhost:8443/x",
        "https://[::1]/",
        "https://2130706433/",
    ):
        with pytest.raises(Forbidden, match="not public"):
            await target_of(url, private=False)
    target = await target_of("https://localhost:8443/x?y=1", private=True)
    assert target.url in ("https://127.0.0.1:8443/x?y=1", "https://[::1]:8443/x?y=1")
    assert (target.host, target.name) == ("localhost:8443", "localhost")
    with pytest.raises(Unknown):
        await target_of("https://nowhere.invalid/", private=False)


async def test_a_forbidden_receiver_is_a_failed_attempt_and_nothing_is_sent(tmp_path: Path) -> None:
    text = file_of("https://localhost/hooks").replace("private_addresses: true", "")
    told = subscription(tmp_path, text)
    assert told.file.webhook is not None
    receiver = WebhookReceiver(told, told.file.webhook)
    outcome = await receiver.deliver(Message("msg_1", "m", "balance.changed", 1, "{}"))
    await receiver.close()
    assert outcome.problem == "localhost has an address that is not public"
    assert not outcome.final


@pytest.mark.parametrize(
    ("change", "path", "problem"),
    [
        (("http://shop.example/", "ftp://shop.example/"), "webhook.url", "https://host/path"),
        (("shop.example", "user:pass@shop.example"), "webhook.url", "without user"),
        (("private_addresses: true", ""), "webhook", "plain http"),
        (("subscription: shop", "subscription: Shop!"), "subscription", "String should match"),
        (("schema:", "colour: red\nschema:"), "colour", "unknown key"),
        (("webhook:", "connection: web-shop\nwebhook:"), "", "stand together"),
        (("webhook:", "begin_with: monday\nwebhook:"), "begin_with", "everybody"),
    ],
)
def test_what_is_wrong_in_a_file_is_told_with_its_place(
    tmp_path: Path, change: tuple[str, str], path: str, problem: str
) -> None:
    file = tmp_path / "shop.outbox.yaml"
    file.write_text(file_of("http://shop.example/").replace(*change), encoding="utf-8")
    with pytest.raises(MappingRefused) as refused:
        read(file)
    (found, *_) = refused.value.findings
    assert found.path == path
    assert problem in str(found)


def test_subscriptions_fit_the_mappings_beside_them(tmp_path: Path) -> None:
    (tmp_path / "web-shop.yaml").write_text(shop.MAPPING, encoding="utf-8")
    told = tmp_path / "shop.outbox.yaml"
    named = "connection: web-shop\ncustomer_scheme: shopify-customer"
    told.write_text(file_of("http://shop.example/", named), encoding="utf-8")
    made = connection_of(parse(shop.MAPPING, "it", settings_models()), None)
    assert [path.name for path in mapping_files(tmp_path)] == ["web-shop.yaml"]
    assert list(read_all(tmp_path, None, {made.name: made})) == ["shop"]
    assert checked(told, None)[0] == []
    (finding,) = checked(told, tmp_path)[0]
    assert "shop.webhook_secret is missing" in str(finding)
    told.write_text(
        file_of("http://shop.example/", named.replace("shopify-customer", "wechat")), "utf-8"
    )
    with pytest.raises(MappingRefused, match="shopify-customer"):
        read_all(tmp_path, None, {made.name: made})
    with pytest.raises(MappingRefused, match="no mapping beside it"):
        read_all(tmp_path, None, {})


def test_points_are_told_when_they_come_near_their_end_to_the_moment(tmp_path: Path) -> None:
    told = subscription(tmp_path, file_of("http://shop.example/")).file
    end = NOW + 40 * DAY
    account = Account(
        member_id="m",
        lots=[
            Lot(currency="point", available=7, expire_time=_time(end)),
            Lot(currency="point", available=5, expire_time=_time(end)),
            Lot(currency="point", available=0, expire_time=_time(NOW + DAY)),
            Lot(currency="point", available=9),
        ],
    )
    assert states_of(told, account, (), now=NOW)["points.expiring"] == {"expiring": []}
    near = end - 30 * DAY
    assert next_look(told, account, now=NOW + 2 * DAY) == near
    assert states_of(told, account, (), now=near - 1)["points.expiring"] == {"expiring": []}
    assert states_of(told, account, (), now=near)["points.expiring"] == {
        "expiring": [{"currency": "point", "points": 12, "expires": "2026-10-31T14:13:20Z"}]
    }
    assert next_look(told, account, now=near) == end
    assert next_look(told, account, now=end) is None


def test_who_is_no_customer_of_a_connection_is_not_told_of(tmp_path: Path) -> None:
    named = "connection: web-shop\ncustomer_scheme: shopify-customer"
    told = subscription(tmp_path, file_of("http://shop.example/", named)).file
    assert states_of(told, Account(member_id="m"), (), now=NOW) == {}
    states = states_of(told, Account(member_id="m", tier="gold"), ("12",), now=NOW)
    assert states["tier.changed"] == {"customers": ["12"], "tier": "gold", "valid_until": None}


def test_facts_that_move_nothing_mark_nobody_and_unknown_ones_mark() -> None:
    progress = Progress({})
    take(
        progress,
        [
            RecordedEvent(stream="account/a", version=2, kind=2),
            RecordedEvent(stream="account/b", version=3, kind=20),
            RecordedEvent(stream="account/b", version=4, kind=32_767),
            RecordedEvent(stream="document/web/till/1", version=1, kind=60),
            RecordedEvent(stream="account/c", version=9, kind=6),
            RecordedEvent(stream="account/c", version=10, kind=27),
            RecordedEvent(
                stream="account/d",
                version=5,
                kind=91,
                payload=Event(
                    merge_stepped=MergeStepped(
                        stage=MERGE_STAGE_MERGED, source_id="d", target_id="b"
                    )
                ).SerializeToString(),
            ),
        ],
    )
    assert progress.versions == {"b": 4, "c": 10, "d": 5}
    assert progress.erased == ["c"]
    assert progress.merged == [("d", "b")]


def test_only_who_was_told_of_a_member_is_told_that_the_member_left() -> None:
    about = Member("m", 7, {}, quiet=False)
    about.leave(ERASED, {}, events=[ERASED], now=NOW)
    assert about.gone
    assert not about.made
    for events in ([], [MERGED]):
        about = Member("m", 7, {}, quiet=False, known=True)
        about.leave(ERASED, {}, events=events, now=NOW)
        assert about.gone
        assert not about.made
    about = Member("m", 7, {}, quiet=False, erased=True)
    about.leave(ERASED, {}, events=[ERASED], now=NOW)
    assert not about.gone, "facts may follow in the account that is left"
    assert not about.made
    about = Member("m", 7, {"tier.changed": {"tier": "gold"}}, quiet=False, known=True)
    about.leave(MERGED, {"into": "n"}, events=[MERGED], now=NOW)
    (message,) = about.made
    assert json.loads(message.body)["data"] == {"member_id": "m", "version": 7, "into": "n"}
    assert about.told == {MERGED: {"into": "n"}}
    about.leave(MERGED, {"into": "n"}, events=[MERGED], now=NOW)
    assert about.made == [message], "a second look at it is no news"
    about.leave(MERGED, {"into": "o"}, events=[MERGED], now=NOW)
    assert json.loads(about.made[-1].body)["data"]["into"] == "o"
    about.state({"tier.changed": {"tier": "gold"}}, now=NOW)
    assert about.made[-1].kind == "tier.changed", "who is back is told of anew"
    assert not about.gone


def test_pauses_grow_and_stay_within_a_fifth() -> None:
    for attempts, plain in ((1, 5), (2, 15), (5, 405), (9, LONGEST_SECONDS), (19, LONGEST_SECONDS)):
        assert all(
            plain * 80 // 100 <= pause_after(attempts) <= plain * 120 // 100 for _ in range(50)
        )
    pauses = [min(5 * 3 ** (n - 1), LONGEST_SECONDS) for n in range(1, ATTEMPTS_MAX)]
    assert 2 * 86_400 < sum(pauses) < 3 * 86_400


def test_a_subscription_shows_no_secret(tmp_path: Path) -> None:
    made = Subscription(
        subscription(tmp_path, file_of("http://x/")).file, {"webhook_secret": ("a",)}
    )
    assert made.problems()[0].startswith("shop.webhook_secret, line 1: expected")
    assert SECRET not in repr(made)


def _time(moment: int) -> Timestamp:
    return Timestamp(seconds=moment // SECOND, nanos=moment % SECOND * 1000)
