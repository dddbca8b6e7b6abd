"""JSON through Envoy as it ships: points land, nothing is lost, refusals are readable."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from loyalty.v1.account_service_pb2 import GetAccountRequest
from loyalty.v1.account_service_pb2_grpc import AccountServiceStub
from loyalty.v1.audit_service_pb2 import StreamEventsRequest
from loyalty.v1.audit_service_pb2_grpc import AuditServiceStub
from server.gateway.app import BODY_BYTES_MAX
from server.gateway.routes import routes
from tests.deploy.envoy import CONFIGURATION, Running, envoy_before, program
from tests.deploy.files import document
from tests.json.asking import Web, gateway_to
from tests.json.bodies import MEMBER, sale
from tests.server import requests
from tests.server.served import Served, serving


@pytest.fixture
async def served(database: str, tmp_path: Path) -> AsyncIterator[Served]:
    """A server with a policy and the member card:8800."""
    program()
    async with serving(database, tmp_path) as running:
        async with running.caller(await running.token("office")) as client:
            await running.with_member(client)
        yield running


@pytest.fixture
async def envoy(served: Served, tmp_path: Path) -> AsyncIterator[Running]:
    """Envoy before the server and a gateway."""
    async with (
        gateway_to(served.address) as gateway,
        envoy_before(served.address, gateway, tmp_path) as running,
    ):
        yield running


@pytest.fixture
async def web(served: Served, envoy: Running) -> Web:
    """A client of Envoy that may do everything."""
    return envoy.public.with_token(await served.token("till"))


async def available(web: Web) -> int:
    """Spendable points of the member."""
    answer = await web.post("/v1/accounts:get", {"member": MEMBER})
    assert answer.code == 200, answer
    balances = answer.json["account"]["balances"]
    return next((int(each["available"]) for each in balances if each["currency"] == "point"), 0)


async def test_json_earns_points(web: Web) -> None:
    assert await available(web) == 0
    posted = await web.post("/v1/documents:post", sale())
    assert posted.code == 200, posted
    assert posted.headers["content-type"] == "application/json"
    assert posted.json["posting"]["outcome"] == "OUTCOME_POSTED"
    assert await available(web) > 0


async def test_a_misspelt_field_is_refused_by_name_and_nothing_is_recorded(web: Web) -> None:
    body = sale()
    body["member"] = {"identity": MEMBER["identity"]}
    body["documents"] = body.pop("document")
    answer = await web.post("/v1/documents:post", body)
    assert (answer.code, answer.reason) == (400, "MALFORMED")
    assert answer.fields == ["documents"]
    assert "did you mean document?" in answer.json["message"]
    assert answer.headers["content-type"] == "application/json"
    assert await available(web) == 0


async def test_a_refusal_of_the_ledger_has_its_details(web: Web) -> None:
    burn = {
        "request_id": "b-1",
        "origin": {"business_unit": "dining"},
        "member": MEMBER,
        "points": {"currency": "point", "amount": "1000000"},
    }
    answer = await web.post("/v1/points:burn", burn)
    assert (answer.code, answer.json["code"]) == (400, 9)
    assert answer.reason == "INSUFFICIENT_POINTS"
    assert answer.detail("ErrorInfo")["metadata"]["requested"] == "1000000"
    assert {each["@type"].rpartition(".")[2] for each in answer.json["details"]} == {
        "ErrorInfo",
        "LocalizedMessage",
    }


async def test_envoy_and_the_gateway_answer_alike(served: Served, web: Web) -> None:
    async with gateway_to(served.address) as bare:
        gateway = bare.with_token(web.token)
        asked: list[tuple[str, str, Any]] = [
            ("POST", "/v1/accounts:get", {"member": MEMBER, "view": "VIEW_FULL"}),
            ("POST", "/v1/accounts:get", {"member": {"member_id": "nobody"}}),
            ("POST", "/v1/accounts:get", {"membr": MEMBER}),
            ("POST", "/v1/documents:post", sale() | {"validate_only": True}),
            ("GET", "/v1/policies?page_size=1", None),
            ("GET", "/v1/policies:get?effective_time=2026-05-01T00:00:00%2B02:00", None),
            ("GET", "/v1/policies?page_siz=1", None),
            ("GET", "/v1/documents:post", None),
        ]
        for verb, path, body in asked:
            raw = None if body is None else json.dumps(body).encode()
            headers = {} if body is None else {"content-type": "application/json"}
            through = await web.ask(verb, path, raw, headers)
            direct = await gateway.ask(verb, path, raw, headers)
            assert (through.code, without_ids(through.json)) == (
                direct.code,
                without_ids(direct.json),
            ), (path, through, direct)


def without_ids(content: Any) -> Any:
    """JSON without what every answer has anew."""
    if isinstance(content, dict):
        names = {"position", "lot_id", "entry_id"}
        return {name: without_ids(value) for name, value in content.items() if name not in names}
    return [without_ids(each) for each in content] if isinstance(content, list) else content


async def test_a_batch_of_a_thousand_passes(web: Web) -> None:
    items = [{"post_document": sale(f"r-{number}", f"T-{number}")} for number in range(1_000)]
    answer = await web.post("/v1/batches:post", {"items": items})
    assert answer.code == 200, answer.text[:500]
    assert len(answer.json["results"]) == 1_000


async def test_what_envoy_itself_refuses_is_a_status_too(envoy: Running) -> None:
    web = envoy.public
    large = await web.post("/v1/documents:post", b" " * (BODY_BYTES_MAX + 1))
    assert (large.code, large.reason) == (413, "TOO_LARGE")
    elsewhere = await web.get("/index.html")
    assert (elsewhere.code, elsewhere.reason) == (404, "REFUSED_BY_PROXY")
    wrong = await web.get("/v1/documents:post")
    assert (wrong.code, wrong.reason, wrong.headers["allow"]) == (405, "WRONG_VERB", "POST")
    unknown = await web.post("/v1/document:post", {})
    assert (unknown.code, unknown.reason) == (404, "NO_SUCH_ROUTE")


@pytest.mark.parametrize("kind", ["application/grpc", "application/grpc-web", "text/plain", ""])
async def test_no_type_of_content_gets_json_past_the_check(web: Web, kind: str) -> None:
    body = sale() | {"membr": MEMBER}
    answer = await web.ask(
        "POST", "/v1/documents:post", json.dumps(body).encode(), {"content-type": kind}
    )
    # A gRPC answer carries its code in a header, under 200.
    assert answer.code in (400, 404, 415) or answer.headers["grpc-status"] != "0", answer
    assert await available(web) == 0


async def test_without_a_gateway_json_is_refused_and_not_passed_unread(
    served: Served, tmp_path: Path
) -> None:
    nowhere = Web("127.0.0.1", 1, "")
    async with envoy_before(served.address, nowhere, tmp_path) as running:
        web = running.public.with_token(await served.token("till"))
        answer = await web.post("/v1/documents:post", sale())
        assert (answer.code, answer.reason) == (503, "UNAVAILABLE")
        assert answer.headers["retry-after"] == "1"


async def test_the_transcoder_alone_would_lose_the_points_in_silence(
    served: Served, tmp_path: Path
) -> None:
    """Why it is not alone (docs/decisions): once this fails, it may no longer need the gateway."""
    body = sale()
    body["membr"] = body.pop("member")
    nowhere = Web("127.0.0.1", 1, "")
    check = "envoy.filters.http.ext_authz"
    async with envoy_before(served.address, nowhere, tmp_path, without=check) as running:
        web = running.public.with_token(await served.token("till"))
        answer = await web.post("/v1/documents:post", body)
        assert answer.code == 200
        assert (answer.json["posting"]["outcome"], answer.json["posting"]["movements"]) == (
            "OUTCOME_POSTED",
            [],
        )
        assert await available(web) == 0


async def test_grpc_passes_untouched(served: Served, envoy: Running, web: Web) -> None:
    credentials = grpc.ssl_channel_credentials(envoy.authority)
    metadata = (("authorization", f"Bearer {web.token}"),)
    async with grpc.aio.secure_channel(f"localhost:{web.port}", credentials) as channel:
        accounts: Any = AccountServiceStub(channel)
        answer = await accounts.GetAccount(
            GetAccountRequest(member=requests.member()), metadata=metadata, timeout=20
        )
        assert answer.account.member_id
        # A stream, of a service that has no routes.
        audit: Any = AuditServiceStub(channel)
        feed = audit.StreamEvents(StreamEventsRequest(), metadata=metadata, timeout=20)
        assert sum([len(each.events) async for each in feed]) > 0
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await accounts.GetAccount(GetAccountRequest(), timeout=20)
        assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_operations_see_readiness_and_figures_and_nothing_else(envoy: Running) -> None:
    assert (await envoy.operations.get("/ready")).code == 200
    assert "envoy_cluster_upstream_rq" in (await envoy.operations.get("/stats/prometheus")).text
    assert (await envoy.operations.get("/config_dump")).code == 404
    assert (await envoy.operations.ask("POST", "/quitquitquit")).code == 404


def test_every_service_with_routes_is_transcoded() -> None:
    text = json.dumps(document(CONFIGURATION))
    for service in {route.method.split("/")[1] for route in routes().values()}:
        assert f'"{service}"' in text, f"add {service} to services in {CONFIGURATION.name}"
