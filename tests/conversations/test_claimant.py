"""Two processes that claim rows, each with its thread and its session, and what one takes the other for."""

import asyncio

import pytest

from apps.conversations import inbox, outbox
from apps.conversations.models import Outbox
from apps.core import claimant
from apps.core.claimant import Claimant
from tests.conversations.sending import lose_session, until
from tests.making import make_channel, text

pytestmark = pytest.mark.django_db(transaction=True)
OUTBOX = "conversations_outbox"


def take(by: Claimant) -> None:
    by.hand[OUTBOX].update(row.id for row in outbox.claim(by.identity, limit=1))


async def freed(by: Claimant) -> int:
    """The server notices the end of a session a moment after it."""
    for _attempt in range(250):
        if found := await by.run(by.free):
            return found
        await asyncio.sleep(0.02)
    return 0


def holder() -> tuple[int | None, int]:
    row = Outbox.objects.get()
    return row.claimed_by, row.deaths


@pytest.fixture(autouse=True)
def a_message_that_waits() -> None:
    inbox.accept(make_channel(), [text("one")])
    until(Outbox.objects.exists)


def test_who_is_back_first_does_not_take_the_others_for_dead() -> None:
    """As after a crash of the database: all sessions are gone, and what is in hand is still on its way."""

    async def story() -> None:
        one, two = Claimant("one", tables=[OUTBOX]), Claimant("two", tables=[OUTBOX])
        await one.enter()
        await two.enter()
        await one.run(take, one)
        for each in (one, two):
            await lose_session(each)
        assert await two.run(two.free) == 0
        await one.enter()
        assert await two.run(two.free) == 0
        assert await one.run(holder) == (one.identity, 0)
        await one.close()
        await two.close()

    asyncio.run(story())


async def die_with_a_claim() -> None:
    dead = Claimant("dead", tables=[OUTBOX])
    await dead.enter()
    await dead.run(take, dead)
    await dead.close()


def test_the_claims_of_the_dead_are_freed_at_once_by_whoever_lost_no_session() -> None:
    async def story() -> None:
        new = Claimant("new", tables=[OUTBOX])
        await die_with_a_claim()
        assert await freed(new) == 1
        await new.close()

    asyncio.run(story())
    assert holder() == (None, 1)


def test_the_claims_of_the_dead_are_freed_after_a_moment_by_whoever_lost_a_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claimant, "RETURNING_SECONDS", 60.0)

    async def story() -> None:
        back = Claimant("back", tables=[OUTBOX])
        await back.enter()
        await lose_session(back)
        await die_with_a_claim()
        assert await back.run(back.free) == 0
        monkeypatch.setattr(claimant, "RETURNING_SECONDS", 0.0)
        assert await freed(back) == 1
        await back.close()

    asyncio.run(story())
    assert holder() == (None, 1)
