"""Replay, verification and rebuild of the configured database, with a progress bar."""

from ledger.garbage import search_seldom
from ledger.replay import ReplayResult, replay
from loyalty.v1.audit_service_pb2 import VerifyHistoryResponse
from projections.rebuild import Progress, Rebuilt, rebuild
from server import database
from server.cli import console
from server.cli.storage import connection, database_url
from server.cli.verifying import verify_history


async def replayed() -> ReplayResult:
    """Every account folded again. Raises Unfoldable and what `connection` raises."""
    search_seldom()
    async with connection() as opened:
        total = await opened.fetchval("SELECT sum(next_pos)::bigint FROM lane")
        with console.progress() as progress:
            task = progress.add_task("replay", total=total)
            return await replay(opened, advanced=lambda count: progress.advance(task, count))


async def verified(*, skip_awards: bool) -> VerifyHistoryResponse:
    """The last word of a check of the whole history. Raises what `database_url` raises."""
    search_seldom()
    async with database_url() as url:
        with console.progress() as progress:
            task = progress.add_task("verify", total=None)

            def show(done: VerifyHistoryResponse) -> None:
                progress.update(task, completed=done.events_checked, total=done.events_total)

            return await verify_history(url, skip_awards=skip_awards, progressed=show)


async def rebuilt(name: str, *, accept_difference: bool) -> Rebuilt:
    """A projection built anew. Raises what `projections.rebuild` and `database_url` raise."""
    async with database_url() as url:
        pool = await database.pool(url, max_size=2)
        try:
            with console.progress() as progress:
                task = progress.add_task(f"rebuild {name}", total=None)

                def show(done: Progress) -> None:
                    progress.update(task, completed=done.events, total=done.total)

                return await rebuild(pool, name, progress=show, accept_difference=accept_difference)
        finally:
            await pool.close()
