"""Webhooks: a message is posted to its receiver, signed; what comes back says what became of it."""

import asyncio
from typing import Final

import httpx

from adapters.frame import moments
from adapters.frame.calls import patience
from adapters.frame.outbox.addresses import Forbidden, Target, Unknown, target_of
from adapters.frame.outbox.messages import Message, Outcome
from adapters.frame.outbox.signing import headers_of
from adapters.frame.outbox.subscription import Subscription, Webhook

LIMITS: Final = httpx.Timeout(10.0, connect=5.0)
WHOLE_SECONDS: Final = 15.0
"""For a whole attempt, however slowly the receiver answers."""
GONE: Final = 410
USER_AGENT: Final = "loyalty-outbox/1"


class WebhookReceiver:
    """Posts the messages of one subscription, over connections that no other one shares."""

    def __init__(self, subscription: Subscription, webhook: Webhook) -> None:
        """Post to the address of `webhook`, signed with the subscription's secrets."""
        self._subscription = subscription
        self._webhook = webhook
        # No proxy and no credentials of the environment; where a redirect leads was not checked.
        self._client = httpx.AsyncClient(timeout=LIMITS, follow_redirects=False, trust_env=False)

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def deliver(self, message: Message) -> Outcome:
        """Post a message once. Never raises for what the receiver does."""
        secrets = self._subscription.keys()
        if wrong := self._subscription.problems():
            return Outcome(wrong[0])
        headers = headers_of(message.message_id, message.body, secrets, sent_at=moments.now())
        try:
            async with asyncio.timeout(WHOLE_SECONDS):
                target = await target_of(self._webhook.url, private=self._webhook.private_addresses)
                return await self._posted(message, headers, target)
        except (Unknown, Forbidden) as error:
            return Outcome(str(error))
        except TimeoutError:
            return Outcome(f"no answer within {WHOLE_SECONDS:.0f} seconds")
        except httpx.HTTPError as error:
            # The message may hold the address, and addresses may hold a secret path.
            return Outcome(f"no answer: {type(error).__name__}")

    async def _posted(self, message: Message, signed: object, target: Target) -> Outcome:
        headers = {
            **dict(signed),  # type: ignore[call-overload]
            "host": target.host,
            "content-type": "application/json",
            "user-agent": USER_AGENT,
        }
        request = self._client.build_request(
            "POST",
            target.url,
            content=message.body.encode(),
            headers=headers,
            extensions={"sni_hostname": target.name},
        )
        response = await self._client.send(request, stream=True)
        # What the receiver says besides is not read: it might never end.
        await response.aclose()
        status = response.status_code
        if response.is_success:
            return Outcome()
        if status == GONE:
            return Outcome("answers 410: nobody receives this any more", final=True)
        said = f"answers {status}"
        if response.is_redirect:
            said += ": redirects are not followed"
        return Outcome(said, seconds=patience(response))
