"""A messenger that behaves badly: floods of 429, blocked people, refusals, errors, silence, broken connections."""

from typing import Any

from faults import audit, ledgers
from faults.audit import Allowed
from faults.driver import Chat
from faults.matrix import Run, fault

Json = dict[str, Any]
STORM: Json = {"do": "429", "retry_after": 2, "times": 3}
ON_ITS_WAY = 0.25  # seconds in which requests that had left before a 429 was known may still arrive


@fault(
    "the messenger answers 403, 400, 500, 502 in HTML, half a JSON, drips, or accepts and cuts",
    bound="refused messages fail with their reason, all others arrive, at most one extra copy",
    quick=True,
)
def messenger_misbehaves(run: Run) -> None:
    kinds: list[Json] = [
        {"do": "403"}, {"do": "400"}, {"do": "500", "times": 2}, {"do": "html"}, {"do": "garbage"}, {"do": "drip", "seconds": 2},
        {"do": "accept_then_cut"}, {"do": "redirect"}, {"do": "huge", "bytes": 5_000_000},
    ]  # fmt: skip
    chats = run.people(chats=len(kinds) + 2, count=3, waits=False)
    for chat, step in zip(chats, kinds, strict=False):
        run.ground.messenger(chat.bot).script(step, chat_id=chat.id)
    driver = run.driver(chats, rate=12).start()
    failed = frozenset(chat.reply(0) for chat in chats[:2])
    run.finish(driver, allowed=Allowed(copies=True, failed=failed))
    run.check("failed without a reason", holds=not _without_reason(run, chats))


@fault(
    "the messenger answers 429 again and again",
    bound=f"nothing is sent inside a retry_after but what had left ({ON_ITS_WAY:g} s); all arrives afterwards",
    quick=True,
)
def flood_of_429(run: Run) -> None:
    chats = run.people(chats=12, count=3)
    run.ground.messenger(chats[0].bot).script(STORM, method="sendMessage")  # not the look at the channel's health once a minute
    driver = run.driver(chats, rate=12).start()
    run.finish(driver)
    storms, late = _inside_a_pause(run, chats[0].telegram_id)
    run.measured["429 answers"] = str(storms)
    run.within("last request after a 429", late, ON_ITS_WAY)
    run.check("the storm did not take place", holds=storms >= STORM["times"])


@fault("the messenger answers nothing for a minute to one chat", bound="the other chats do not wait for it; at most one extra copy")
def messenger_hangs(run: Run) -> None:
    chats = run.people(chats=6, count=4)
    run.ground.messenger(chats[0].bot).script({"do": "accept_then_hang", "seconds": 60}, chat_id=chats[0].id)
    driver = run.driver(chats, rate=8).start()
    run.finish(driver, seconds=120, allowed=Allowed(copies=True))
    others = audit.latencies(driver, chats[1:])
    run.within("slowest of the others", others[-1], 10)


def _without_reason(run: Run, chats: list[Chat]) -> int:
    sql = "SELECT count(*) FROM conversations_message WHERE channel_id = %s AND state = 'failed' AND error = ''"
    return int(run.ground.value(sql, chats[0].bot["channel_id"]))


def _inside_a_pause(run: Run, bot: int) -> tuple[int, float]:
    """How many 429 there were, and how long after one of them the last request came that it forbade."""
    refused = [row for row in ledgers.lines(run.ground.refusals) if row["bot"] == bot and row.get("do") == "429"]
    taken = [row["time"] for row in ledgers.lines(run.ground.ledger) if row["bot"] == bot and row["method"] == "sendMessage"]
    asked = [*taken, *(row["time"] for row in refused)]
    after = [at - row["time"] for row in refused for at in asked if row["time"] < at < row["time"] + STORM["retry_after"]]
    return len(refused), max(after, default=0.0)
