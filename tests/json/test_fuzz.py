"""A bounded fuzz of all routes by the OpenAPI document: no fault of ours, and answers conform.

LOYALTY_FUZZ_EXAMPLES asks for more examples of each route and kind, other ones each time.
"""

import asyncio
import os
from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.json.asking import Web
from tests.json.test_openapi import DOCUMENT

EXAMPLES = int(os.environ.get("LOYALTY_FUZZ_EXAMPLES") or 5)
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


def fuzz(operation: Any, mode: GenerationMode, url: str, token: str) -> None:
    """Send examples that the document allows, or forbids, and look at what comes back."""

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize="LOYALTY_FUZZ_EXAMPLES" not in os.environ,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def send(case: Any) -> None:
        response = case.call(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=20)
        case.validate_response(response, checks=CHECKS)

    run: Callable[[], None] = send
    run()


@pytest.mark.slow
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
async def test_no_request_makes_the_server_fail(web: Web, mode: GenerationMode) -> None:
    # Where an operation is not valid its result has no ok(), and the test ends here.
    schema: Any = schemathesis.openapi.from_dict(DOCUMENT)
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) == len(DOCUMENT["paths"])
    url = f"http://{web.host}:{web.port}"
    for operation in operations:
        await asyncio.to_thread(fuzz, operation, mode, url, web.token)
