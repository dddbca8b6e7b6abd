"""How a client offers a call of the contract: as an attribute made of its request and its answer.

One line in `surface.py` gives a call to both clients, typed for each.
"""

import re
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from typing import Generic, Protocol, Self, TypeVar, overload

from google.protobuf.message import Message

Question = TypeVar("Question", bound=Message)
Reply = TypeVar("Reply", bound=Message)
Question_contra = TypeVar("Question_contra", bound=Message, contravariant=True)
Reply_co = TypeVar("Reply_co", bound=Message, covariant=True)
After = Message | str
"""An answer whose write a read must see, or the position in it."""


class UnaryCall(Protocol[Question_contra, Reply_co]):
    """A call that waits for its answer."""

    def __call__(
        self,
        request: Question_contra,
        /,
        *,
        timeout: float | None = None,
        after: After | None = None,
    ) -> Reply_co:
        """Send `request`, again where that may help, and return the answer.

        Args:
            request: an empty request_id is filled in, in the message itself, so that sending the
                same message again is a retry; so are the fields of the client's origin.
            timeout: seconds for all attempts together; None: that of docs/clients.md.
            after: a read answers from at least there.

        Raises:
            Refusal: the ledger says no.
            NoAnswer: it is not known whether anything was recorded.
        """


class AsyncUnaryCall(Protocol[Question_contra, Reply_co]):
    """A call whose answer is awaited."""

    async def __call__(
        self,
        request: Question_contra,
        /,
        *,
        timeout: float | None = None,
        after: After | None = None,
    ) -> Reply_co:
        """As `UnaryCall`."""


class FeedCall(Protocol[Question_contra, Reply_co]):
    """A call with many answers. It is not begun again by itself."""

    def __call__(
        self, request: Question_contra, /, *, timeout: float | None = None
    ) -> Iterator[Reply_co]:
        """Send `request` and pass the answers on as they come."""


class AsyncFeedCall(Protocol[Question_contra, Reply_co]):
    """A call with many answers, each awaited. It is not begun again by itself."""

    def __call__(
        self, request: Question_contra, /, *, timeout: float | None = None
    ) -> AsyncIterator[Reply_co]:
        """Send `request` and pass the answers on as they come."""


class DialogueCall(Protocol[Question_contra, Reply_co]):
    """A call with many requests, each answered in order. It is not begun again by itself."""

    def __call__(
        self, requests: Iterable[Question_contra], /, *, timeout: float | None = None
    ) -> Iterator[Reply_co]:
        """Send the requests and pass the answers on as they come."""


class AsyncDialogueCall(Protocol[Question_contra, Reply_co]):
    """A call with many requests, each answered in order. It is not begun again by itself."""

    def __call__(
        self, requests: AsyncIterable[Question_contra], /, *, timeout: float | None = None
    ) -> AsyncIterator[Reply_co]:
        """Send the requests and pass the answers on as they come."""


class Blocking:
    """A client whose calls wait."""

    def bind_unary(self, call: "Unary[Question, Reply]") -> UnaryCall[Question, Reply]:
        """The call, ready to be made."""
        raise NotImplementedError

    def bind_feed(self, call: "Feed[Question, Reply]") -> FeedCall[Question, Reply]:
        """The call, ready to be made."""
        raise NotImplementedError

    def bind_dialogue(self, call: "Dialogue[Question, Reply]") -> DialogueCall[Question, Reply]:
        """The call, ready to be made."""
        raise NotImplementedError


class Awaiting:
    """A client whose calls are awaited."""

    def bind_unary(self, call: "Unary[Question, Reply]") -> AsyncUnaryCall[Question, Reply]:
        """The call, ready to be made."""
        raise NotImplementedError

    def bind_feed(self, call: "Feed[Question, Reply]") -> AsyncFeedCall[Question, Reply]:
        """The call, ready to be made."""
        raise NotImplementedError

    def bind_dialogue(
        self, call: "Dialogue[Question, Reply]"
    ) -> AsyncDialogueCall[Question, Reply]:
        """The call, ready to be made."""
        raise NotImplementedError


class Call(Generic[Question, Reply]):
    """One call of the contract."""

    def __init__(self, request: type[Question], answer: type[Reply]) -> None:
        """Find the call that takes `request`."""
        self.request = request
        self.answer = answer
        self.method = method_of(request)
        """As "loyalty.v1.LedgerService/BurnPoints"."""


class Unary(Call[Question, Reply]):
    """One request, one answer."""

    @overload
    def __get__(self, client: None, owner: type) -> Self: ...
    @overload
    def __get__(self, client: Blocking, owner: type) -> UnaryCall[Question, Reply]: ...
    @overload
    def __get__(self, client: Awaiting, owner: type) -> AsyncUnaryCall[Question, Reply]: ...
    def __get__(self, client: Blocking | Awaiting | None, owner: type) -> object:
        """Bind it to a client; of a class it is the call itself."""
        return self if client is None else client.bind_unary(self)


class Feed(Call[Question, Reply]):
    """One request, many answers."""

    @overload
    def __get__(self, client: None, owner: type) -> Self: ...
    @overload
    def __get__(self, client: Blocking, owner: type) -> FeedCall[Question, Reply]: ...
    @overload
    def __get__(self, client: Awaiting, owner: type) -> AsyncFeedCall[Question, Reply]: ...
    def __get__(self, client: Blocking | Awaiting | None, owner: type) -> object:
        """Bind it to a client; of a class it is the call itself."""
        return self if client is None else client.bind_feed(self)


class Dialogue(Call[Question, Reply]):
    """Many requests, many answers."""

    @overload
    def __get__(self, client: None, owner: type) -> Self: ...
    @overload
    def __get__(self, client: Blocking, owner: type) -> DialogueCall[Question, Reply]: ...
    @overload
    def __get__(self, client: Awaiting, owner: type) -> AsyncDialogueCall[Question, Reply]: ...
    def __get__(self, client: Blocking | Awaiting | None, owner: type) -> object:
        """Bind it to a client; of a class it is the call itself."""
        return self if client is None else client.bind_dialogue(self)


def method_of(request: type[Message]) -> str:
    """Name of the call of the contract that takes a request."""
    wanted = request.DESCRIPTOR
    for service in wanted.file.services_by_name.values():
        for method in service.methods:
            if method.input_type == wanted:
                return f"{service.full_name}/{method.name}"
    raise ValueError(f"{wanted.full_name}: no call of the contract takes it")


def attribute_of(method: str) -> str:
    """Name under which clients offer a call: "burn_points"."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", method.rpartition("/")[2]).lower()
