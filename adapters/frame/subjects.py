"""Subjects and their parts in the database: what is to be worked on, and what became of it."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from adapters.frame.database import Session
from adapters.frame.reading import dumped
from adapters.frame.words import Part, Parts

# A subject is to be worked on when a part of it is unread, or its time has come. Those that another
# worker holds are passed over.
_CLAIM: Final = """
WITH wanted AS (
  (SELECT connection, subject FROM adapters.part
    WHERE unread AND connection = ANY($3) ORDER BY part_id LIMIT $2)
  UNION
  (SELECT connection, subject FROM adapters.subject
    WHERE due_at <= now() AND connection = ANY($3) ORDER BY due_at LIMIT $2)
)
SELECT s.* FROM adapters.subject s JOIN wanted USING (connection, subject)
 ORDER BY s.connection, s.subject LIMIT $1 FOR UPDATE OF s SKIP LOCKED"""
_PARTS: Final = """
SELECT p.part_id, p.connection, p.subject, p.part, p.version, p.rank, p.content
  FROM adapters.part p
  JOIN unnest($1::text[], $2::text[]) AS s (connection, subject) USING (connection, subject)
 ORDER BY p.part_id"""
_ADD_SUBJECTS: Final = """
INSERT INTO adapters.subject (connection, subject, state)
SELECT $1, subject, 'new' FROM unnest($2::text[]) AS subject
ON CONFLICT DO NOTHING"""
_ADD_PARTS: Final = """
INSERT INTO adapters.part
       (connection, subject, part, version, rank, content, delivery_id, unread)
SELECT $1, * FROM unnest($2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::text[],
                         $7::bigint[], $8::bool[])"""
_SETTLE: Final = """
UPDATE adapters.subject s
   SET state = n.state, reason = n.reason, detail = n.detail, attempts = n.attempts,
       due_at = now() + n.wait * interval '1 second', changed_at = now(), document = n.document,
       posted_version = n.posted_version, posted_digest = n.posted_digest,
       was_final = n.was_final, member_scheme = n.member_scheme, read_by = n.read_by
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int[], $7::int[],
              $8::text[], $9::bigint[], $10::bytea[], $11::bool[], $12::text[], $13::text[])
       AS n (connection, subject, state, reason, detail, attempts, wait, document,
             posted_version, posted_digest, was_final, member_scheme, read_by)
 WHERE s.connection = n.connection AND s.subject = n.subject"""

_ACQUAINT: Final = """
WITH known AS (
  INSERT INTO adapters.known_customer (connection, scheme, value, member_id)
  SELECT n.* FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])
         AS n (connection, scheme, value, member_id)
   WHERE EXISTS (SELECT FROM adapters.outbox_subscription s
                  WHERE s.connection = n.connection AND s.customer_scheme = n.scheme)
   ORDER BY 1, 2, 3
  ON CONFLICT (connection, scheme, value) DO UPDATE SET member_id = excluded.member_id
   WHERE known_customer.member_id <> excluded.member_id
  RETURNING connection, scheme, member_id
)
INSERT INTO adapters.outbox_news (subscription, member_id)
SELECT s.subscription, k.member_id
  FROM known k JOIN adapters.outbox_subscription s
    ON s.connection = k.connection AND s.customer_scheme = k.scheme"""


@dataclass(slots=True)
class Subject:
    """A subject under work: its row, locked, and its parts."""

    connection: str
    subject: str
    state: str
    attempts: int
    document: str
    posted_version: int
    posted_digest: bytes | None
    was_final: bool
    member_scheme: str
    read_by: str
    reason: str = ""
    detail: str = ""
    wait: int | None = None
    """Seconds until it is worked on again by itself; None: not by itself."""
    newest: dict[str, Part] = field(default_factory=dict)
    """The newest part with content, by key."""
    hints: list[Part] = field(default_factory=list)
    """Parts to be fetched."""
    read_ids: list[int] = field(default_factory=list)
    """Rows of all its parts."""
    kept_ids: dict[str, int] = field(default_factory=dict)
    """Row of the newest part, by key."""
    hint_ids: list[int] = field(default_factory=list)
    fetched: list[Part] = field(default_factory=list)
    """Parts that were fetched just now, to be kept."""
    acquainted: list[tuple[str, str, str]] = field(default_factory=list)
    """Identities of the person it is about, by scheme and value, and the member who that is."""

    @property
    def parts(self) -> Parts:
        """What is known of it."""
        return Parts(
            self.subject,
            {key: part.content for key, part in self.newest.items() if part.content is not None},
            {key: part.version for key, part in self.newest.items()},
        )

    def take(self, part: Part, part_id: int | None) -> None:
        """Take a part over if it is newer than what is known, or as new and later."""
        if part.content is None:
            self.hints.append(part)
            if part_id is not None:
                self.hint_ids.append(part_id)
            return
        before = self.newest.get(part.key)
        if before is not None and (part.version, part.rank) < (before.version, before.rank):
            return
        self.newest[part.key] = part
        if part_id is None:
            self.kept_ids.pop(part.key, None)
            self.fetched = [each for each in self.fetched if each.key != part.key]
            self.fetched.append(part)
        else:
            self.kept_ids[part.key] = part_id


async def claim(connection: Session, connections: Sequence[str], *, most: int) -> list[Subject]:
    """Lock subjects that are to be worked on, with their parts. Within a transaction."""
    rows = await connection.fetch(_CLAIM, most, most * 4, list(connections))
    subjects = {
        (row["connection"], row["subject"]): Subject(
            connection=row["connection"],
            subject=row["subject"],
            state=row["state"],
            attempts=row["attempts"],
            document=row["document"],
            posted_version=row["posted_version"],
            posted_digest=row["posted_digest"],
            was_final=row["was_final"],
            member_scheme=row["member_scheme"],
            read_by=row["read_by"],
        )
        for row in rows
    }
    if not subjects:
        return []
    keys = [key[0] for key in subjects], [key[1] for key in subjects]
    for row in await connection.fetch(_PARTS, *keys):
        subject = subjects[row["connection"], row["subject"]]
        subject.read_ids.append(row["part_id"])
        content = None if row["content"] is None else json.loads(row["content"])
        part = Part(row["subject"], row["part"], row["version"], content, row["rank"])
        subject.take(part, row["part_id"])
    return list(subjects.values())


async def add(
    connection: Session,
    name: str,
    parts: Iterable[tuple[Part, int | None]],
    *,
    unread: bool,
) -> None:
    """Add parts of a connection, each with the delivery it came in. Within a transaction."""
    rows = list(parts)
    subjects = sorted({part.subject for part, _ in rows})
    await connection.execute(_ADD_SUBJECTS, name, subjects)
    await connection.execute(
        _ADD_PARTS,
        name,
        [part.subject for part, _ in rows],
        [part.key for part, _ in rows],
        [part.version for part, _ in rows],
        [part.rank for part, _ in rows],
        [None if part.content is None else dumped(part.content) for part, _ in rows],
        [delivery for _, delivery in rows],
        [unread] * len(rows),
    )


async def settle(connection: Session, subjects: Sequence[Subject]) -> None:
    """Write down what became of subjects, and forget parts that newer ones replace."""
    gone: list[int] = []
    kept: list[int] = []
    for subject in subjects:
        still = set(subject.kept_ids.values())
        if subject.hints:
            still.update(subject.hint_ids)
        kept += still
        gone += [part_id for part_id in subject.read_ids if part_id not in still]
        if subject.fetched:
            found = ((part, None) for part in subject.fetched)
            await add(connection, subject.connection, found, unread=False)
    if gone:
        await connection.execute("DELETE FROM adapters.part WHERE part_id = ANY($1)", gone)
    await connection.execute(
        "UPDATE adapters.part SET unread = false WHERE part_id = ANY($1) AND unread", kept
    )
    await connection.execute(_SETTLE, *_columns(subjects))
    await _acquaint(connection, subjects)


async def _acquaint(connection: Session, subjects: Sequence[Subject]) -> None:
    """Keep who is who, as far as a subscription has to name customers, and tell it of news."""
    known = {
        (subject.connection, scheme, value): member_id
        for subject in subjects
        for scheme, value, member_id in subject.acquainted
    }
    if known:
        columns = [[key[place] for key in known] for place in range(3)]
        await connection.execute(_ACQUAINT, *columns, list(known.values()))


async def give_up(connection: Session, subject: Subject, detail: str) -> None:
    """Make a dead letter of a subject of which nothing else can be written down."""
    names = subject.connection, subject.subject
    subject.state, subject.reason, subject.detail = "dead", "fault", detail
    await connection.execute(
        "UPDATE adapters.subject SET state = 'dead', reason = 'fault', detail = $3, due_at = NULL,"
        " changed_at = now() WHERE connection = $1 AND subject = $2",
        *names,
        detail,
    )
    await connection.execute(
        "UPDATE adapters.part SET unread = false WHERE connection = $1 AND subject = $2", *names
    )


def _columns(subjects: Sequence[Subject]) -> list[list[object]]:
    names = (
        "connection",
        "subject",
        "state",
        "reason",
        "detail",
        "attempts",
        "wait",
        "document",
        "posted_version",
        "posted_digest",
        "was_final",
        "member_scheme",
        "read_by",
    )
    return [[getattr(subject, name) for subject in subjects] for name in names]
