"""JSON in, points in the ledger, JSON out; and every refusal as google.rpc.Status."""

import gzip
import json
from typing import Any

import grpc

from loyalty.v1.account_service_pb2 import Account, GetAccountResponse, Lot
from server.gateway.app import BODY_BYTES_MAX
from tests.json.asking import Web, gateway_to
from tests.json.bodies import MEMBER, sale
from tests.server.served import Served

NO_REQUESTS: list[tuple[str, str, bytes | None, dict[str, str], int, str]] = [
    ("POST", "/v1/document:post", b"{}", {}, 404, "NO_SUCH_ROUTE"),
    ("GET", "/", None, {}, 404, "NO_SUCH_ROUTE"),
    ("GET", "/v1/documents:post", None, {}, 405, "WRONG_VERB"),
    ("POST", "/v1/documents:post", b"", {}, 400, "MALFORMED"),
    ("POST", "/v1/documents:post", b'{"request_id": "r"', {}, 400, "MALFORMED"),
    ("POST", "/v1/documents:post?request_id=r", b"{}", {}, 400, "MALFORMED"),
    ("POST", "/v1/documents:post", b"a=b", {"content-type": "text/plain"}, 415, "NOT_JSON"),
    (
        "POST",
        "/v1/documents:post",
        gzip.compress(b"{}"),
        {"content-encoding": "gzip"},
        415,
        "NOT_JSON",
    ),
    ("POST", "/v1/documents:post", b" " * (BODY_BYTES_MAX + 1), {}, 413, "TOO_LARGE"),
    ("GET", "/v1/policies?page_siz=1", None, {}, 400, "MALFORMED"),
    ("GET", "/v1/policies?page_size=1&page_size=2", None, {}, 400, "MALFORMED"),
    ("GET", "/v1/policies?page_size=one", None, {}, 400, "MALFORMED"),
    ("GET", "/v1/policies", b"{}", {}, 400, "MALFORMED"),
]


async def available(web: Web) -> str:
    """Spendable points of the member."""
    answer = await web.post("/v1/accounts:get", {"member": MEMBER})
    assert answer.code == 200, answer
    balances = answer.json["account"]["balances"]
    return next((str(each["available"]) for each in balances if each["currency"] == "point"), "0")


async def test_a_document_in_json_earns_points_once(web: Web) -> None:
    first = await web.post("/v1/documents:post", sale())
    assert first.code == 200
    assert first.headers["content-type"] == "application/json"
    posting = first.json["posting"]
    assert posting["outcome"] == "OUTCOME_POSTED"
    # A number of 64 bits is a text in JSON, and a 0 is there to see.
    assert [balance["held"] for balance in posting["balances"]]
    earned = await available(web)
    assert int(earned) > 0
    again = await web.post("/v1/documents:post", sale())
    assert again.json["posting"]["outcome"] == "OUTCOME_REPLAYED"
    assert await available(web) == earned


async def test_a_misspelt_field_is_refused_by_name_and_nothing_is_recorded(web: Web) -> None:
    body = sale()
    body["document"]["lines"][0]["net_minor_unit"] = body["document"]["lines"][0].pop(
        "net_minor_units"
    )
    answer = await web.post("/v1/documents:post", body)
    assert answer.code == 400
    assert answer.reason == "MALFORMED"
    assert answer.fields == ["document.lines[0].net_minor_unit"]
    assert "did you mean net_minor_units?" in answer.json["message"]
    assert await available(web) == "0"


async def test_a_refusal_of_the_ledger_arrives_whole(web: Web) -> None:
    burn = {
        "request_id": "b-1",
        "origin": {"business_unit": "dining"},
        "member": MEMBER,
        "points": {"currency": "point", "amount": "1000000"},
    }
    answer = await web.post("/v1/points:burn", burn)
    assert (answer.code, answer.json["code"]) == (400, 9)
    info = answer.detail("ErrorInfo")
    assert (info["reason"], info["domain"]) == ("INSUFFICIENT_POINTS", "loyalty")
    assert info["metadata"]["requested"] == "1000000"
    assert answer.detail("LocalizedMessage")["locale"] == "en"


async def test_what_is_no_request_is_refused(web: Web) -> None:
    for verb, path, body, headers, code, reason in NO_REQUESTS:
        answer = await web.ask(verb, path, body, headers)
        assert (answer.code, answer.reason) == (code, reason), (verb, path, answer)
        assert answer.headers["content-type"] == "application/json"


async def test_a_wrong_path_is_told_the_nearest_one(web: Web) -> None:
    answer = await web.post("/v1/document:post", {})
    assert "did you mean /v1/documents:post?" in answer.json["message"]


async def test_a_wrong_verb_is_told_the_right_one(web: Web) -> None:
    assert (await web.get("/v1/points:burn")).headers["allow"] == "POST"


async def test_a_query_states_a_request(web: Web) -> None:
    listed = await web.get("/v1/policies?page_size=1")
    assert [policy["version"] for policy in listed.json["policies"]] == ["1"]
    at_time = await web.get("/v1/policies:get?effective_time=2026-05-01T00:00:00%2B02:00")
    assert at_time.json["policy"]["state"] == "POLICY_STATE_IN_FORCE"


async def test_who_has_no_token_is_told_so(web: Web) -> None:
    for token in ("", "nobody's", "clé", "a\tb"):
        answer = await web.with_token(token).post("/v1/accounts:get", {"member": MEMBER})
        assert (answer.code, answer.reason) == (401, "UNAUTHENTICATED")
        assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_server_that_is_away_is_said_to_be_so() -> None:
    async with gateway_to("127.0.0.1:1") as web:
        assert (await web.get("/health/live")).code == 200
        assert (await web.get("/health/ready")).code == 503
        answer = await web.post("/v1/accounts:get", {"member": MEMBER})
        assert (answer.code, answer.reason) == (503, "UNAVAILABLE")
        assert answer.headers["retry-after"] == "1"


async def test_a_long_answer_passes() -> None:
    lots = [Lot(lot_id=f"{number:036}", currency="point") for number in range(100_000)]
    answer = GetAccountResponse(account=Account(lots=lots))
    assert answer.ByteSize() > BODY_BYTES_MAX

    async def get_account(_request: bytes, _context: object) -> bytes:
        return answer.SerializeToString()

    server = grpc.aio.server(options=[("grpc.max_send_message_length", -1)])
    handlers: Any = {"GetAccount": grpc.unary_unary_rpc_method_handler(get_account)}
    server.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler("loyalty.v1.AccountService", handlers)]
    )
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with gateway_to(f"127.0.0.1:{port}") as web:
        got = await web.post("/v1/accounts:get", {"member": MEMBER})
        assert len(got.json["account"]["lots"]) == len(lots)
    await server.stop(None)


async def test_health_is_that_of_the_server(served: Served) -> None:
    async with gateway_to(served.address) as web:
        assert (await web.get("/health/ready")).text == "serving\n"


async def test_a_check_reads_the_request_and_posts_nothing(web: Web) -> None:
    good = await web.post("/check/v1/documents:post", sale())
    assert (good.code, good.text) == (200, "")
    bad = await web.post("/check/v1/documents:post", {"request_idd": "r"})
    assert (bad.code, bad.fields) == (400, ["request_idd"])
    assert (await web.post("/check/v1/nothing:here", {})).code == 404
    assert await available(web) == "0"


async def test_a_thousand_writes_fit_in_one_body(web: Web) -> None:
    items: list[dict[str, Any]] = [
        {"post_document": sale(f"r-{number}", f"T-{number}")} for number in range(1_000)
    ]
    answer = await web.post("/v1/batches:post", {"items": items})
    assert answer.code == 200, answer.text[:500]
    outcomes = {each["posting"]["outcome"] for each in answer.json["results"]}
    assert outcomes == {"OUTCOME_POSTED"}
    # The shorter form of JSON, as JavaScript writes it, says the same.
    again = await web.post(
        "/v1/batches:post", json.dumps({"items": items}, separators=(",", ":")).encode()
    )
    assert {each["posting"]["outcome"] for each in again.json["results"]} == {"OUTCOME_REPLAYED"}
