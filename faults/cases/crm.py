"""Another system that behaves badly: each dialogue goes on, and whatever took effect took effect once."""

from typing import Any

from faults import audit, dialogues, ledgers
from faults.driver import Chat
from faults.matrix import Run, fault

Json = dict[str, Any]
SECONDS = 20.0
# How the CRM answers the first order of a chat, by system (calls to one that fails five times in a row are held back for a while).
BAD: list[dict[str, Json]] = [
    {
        "hangs": {"do": "hang", "seconds": 30},
        "500 twice": {"do": "500", "times": 2},
        "an HTML page": {"do": "html", "accept": True},
    },
    {
        "a byte at a time": {"do": "drip", "seconds": 30},
        "cut off": {"do": "cut"},
        "a redirect": {"do": "302", "to": "/elsewhere", "accept": True},
    },
    {
        "50 MB": {"do": "huge"},
        "accepted, then cut off": {"do": "accept_then_cut"},
        "half a JSON": {"do": "garbage"},
        "429": {"do": "429", "retry_after": 2},
    },
]


@fault(
    "the CRM hangs, drips, answers 500, 429, 50 MB, HTML, half a JSON, a redirect or nothing",
    bound=f"every dialogue goes on ≤ {SECONDS:g} s, each order has one effect",
    quick=True,
)
def crm_misbehaves(run: Run) -> None:
    chats = run.people("ordering", chats=3, count=4)
    for number, kinds in enumerate(BAD):
        chats += _with_system(run, number, kinds)
    chats += _given_up(run)
    driver = run.driver(chats, rate=20).start()
    run.finish(driver)
    run.within("slowest dialogue", audit.latencies(driver)[-1], SECONDS)
    run.check("a redirect was followed", holds=not any(row["path"] == "/elsewhere" for row in ledgers.lines(run.ground.crm_ledger)))


def _with_system(run: Run, number: int, kinds: dict[str, Json]) -> list[Chat]:
    url = run.ground.further_system(number)
    chats = run.people("ordering", chats=len(kinds) + 1, count=3, definition=dialogues.ordering(url, timeout=1))
    for chat, step in zip(chats, kinds.values(), strict=False):
        run.ground.crm_control(url).script(step, path=f"/effects/{chat.id}/*")
        if step["do"] == "302":
            chat.statuses[1] = 302
    return chats


def _given_up(run: Run) -> list[Chat]:
    """Without further attempts the dialogue takes the named exit."""
    url = run.ground.further_system(0)
    [chat] = run.people("ordering", chats=1, count=3, definition=dialogues.ordering(url, retries=0))
    run.ground.crm_control(url).script({"do": "500"}, path=f"/effects/{chat.id}/*")
    chat.statuses[1], chat.effects[1] = 500, 0
    return [chat]
