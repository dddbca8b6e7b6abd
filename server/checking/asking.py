"""The shape of questions to the policy: quotes and explanations. Each check raises Malformed."""

from typing import Final

from loyalty.v1.account_service_pb2 import ExplainEntryRequest
from loyalty.v1.ledger_service_pb2 import QuoteDocumentRequest
from loyalty.v1.types_pb2 import Document
from server.checking import documents, shape

SEGMENTS_MAX: Final = 50
DIGEST_LENGTH: Final = 64
VERSION_MAX: Final = 10**9


def quote_document(request: QuoteDocumentRequest) -> None:
    """Check a question for what a document would earn."""
    shape.origin(request.origin)
    if request.HasField("member"):
        shape.member(request.member)
    stated = request.document
    if not (stated.source or stated.document_id):
        # A new one needs no key: it is checked with one that is right.
        stated = Document()
        stated.CopyFrom(request.document)
        stated.source, stated.document_id = "quote", "new"
        stated.version = stated.version or 1
    documents.document(stated)
    shape.optional_text("assume.tier", request.assume.tier)
    if len(request.assume.segments) > SEGMENTS_MAX:
        count = f"{len(request.assume.segments)} segments"
        shape.refuse("assume.segments", count, f"at most {SEGMENTS_MAX}")
    for index, segment in enumerate(request.assume.segments):
        shape.text(f"assume.segments[{index}]", segment)
    match request.WhichOneof("policy"):
        case "policy_version" if not 1 <= request.policy_version <= VERSION_MAX:
            shape.refuse("policy_version", request.policy_version, "the number of a version")
        case "policy_digest":
            shape.text("policy_digest", request.policy_digest, DIGEST_LENGTH)
        case _:
            pass
    shape.language(request.language)


def explain_entry(request: ExplainEntryRequest) -> None:
    """Check a question for why an entry is what it is."""
    numbered = request.HasField("member") and request.version and not request.document
    if bool(request.entry_id) + bool(request.document) + bool(numbered) != 1:
        expected = "an entry, a document, or a member and a running number of the statement"
        shape.refuse("entry_id", request.entry_id, expected)
    if request.entry_id:
        shape.text("entry_id", request.entry_id)
    elif request.document:
        documents.key("document", request.document)
    if request.HasField("member"):
        shape.party("member", request.member)
    if not 0 <= request.version <= documents.VERSION_MAX:
        expected = f"a whole number from 0 to {documents.VERSION_MAX}"
        shape.refuse("version", request.version, expected)
    shape.language(request.language)
