"""Items that cannot be handled: they are parked with their reason, the chat goes on, and the others do not feel it."""

from faults import audit, dialogues
from faults.driver import Chat, Driver
from faults.matrix import MACHINE, Run, fault

SHARE = 1.2
FLOOR = 0.02  # seconds; below it a share says more about the clock than about the product
POISONED = 6
MOST_UNANSWERED = 6  # the first, and those that come before the next process is up


@fault(
    "scenarios that raise what no block should raise, while others write",
    bound=f"parked after 5 attempts; p95 of the others ≤ {SHARE:g} × without them",
    takes=MACHINE,
)
def poison_is_parked(run: Run) -> None:
    chats = run.people(chats=20, count=0, bots=2)
    before = _round(run, chats)
    bad = run.people(chats=POISONED, count=1, definition=dialogues.poisoned("break"))
    poison = run.driver(bad, rate=3).start()
    during = _round(run, chats)
    poison.stopping = True
    run.until(lambda: _parked(run, bad) == POISONED, "parking", seconds=90)
    after = _round(run, chats)
    quiet = max(before, after)
    run.measured |= {"p95 alone": f"{quiet * 1000:.0f} ms", "p95 beside poison": f"{during * 1000:.0f} ms"}
    run.within("p95 beside poison", during, SHARE * quiet + FLOOR)
    run.check("without a reason", holds=_reasons(run, bad) == POISONED)


@fault("an item that kills every worker that takes it", bound="parked after 3 deaths; all others answered", quick=True)
def deadly_item_is_parked(run: Run) -> None:
    bad = run.people(chats=1, count=1, definition=dialogues.poisoned("kill"))
    poison = run.driver(bad, rate=0).start()
    chats = run.people(chats=6, count=4)
    run.finish(run.driver(chats, rate=4).start())
    run.until(lambda: _parked(run, bad) == 1, "parking", seconds=60)
    poison.stopping = True
    _check_deaths(run, bad)


@fault(
    "a call without an idempotency key that kills every process that handles it, posted until it is answered",
    bound=f"at most {MOST_UNANSWERED} posts stay without an answer, then it is parked after 3 deaths of workers; all others answered",
)
def deadly_call_is_parked(run: Run) -> None:
    """Such a call is accepted and handled by the web process in one transaction: a death there leaves no attempt behind. The integrator has no answer
    and posts it again, to the web process that has taken the dead one's place.
    """
    bad = run.people("call", chats=1, count=1, definition=dialogues.poisoned("kill"), keyless=True)
    chats = run.mixed(chats=8, count=4)
    poison = run.driver(bad, rate=0, repeats=0).start()
    run.finish(run.driver(chats, rate=4).start())
    run.until(lambda: _parked(run, bad), "parking", seconds=60)
    poison.stopping = True
    run.until(lambda: not _pending(run, bad), "the last post", seconds=60)
    unanswered = sum(answer.status == 0 for answer in poison.answers)
    run.measured["posts without an answer"] = str(unanswered)
    run.check(f"{unanswered} posts without an answer", holds=1 <= unanswered <= MOST_UNANSWERED)
    _check_deaths(run, bad)


def _check_deaths(run: Run, chats: list[Chat]) -> None:
    """What is parked there was parked for its deaths."""
    sql = "SELECT DISTINCT error FROM conversations_update WHERE channel_id = %s AND state = 'parked'"
    reasons = [reason for (reason,) in run.ground.rows(sql, chats[0].bot["channel_id"])]
    run.check(f"the reasons are {reasons}", holds=bool(reasons) and all("died 3 times" in reason for reason in reasons))


def _round(run: Run, chats: list[Chat]) -> float:
    """Everybody writes more; p95 from the posting to the arrival of the answer. As long as all attempts of the poison take, so that a second
    in which strangers have the machine is less than a twentieth.
    """
    already = {chat.id: len(chat.accepted_at) for chat in chats}
    for chat in chats:
        chat.count += 15
    driver = run.driver(chats, rate=18).start()
    run.finish(driver)
    return audit.percentile(_fresh(driver, already), 0.95)


def _fresh(driver: Driver, already: dict[int, int]) -> list[float]:
    driver.messenger.look()
    found = []
    for chat in driver.chats:
        came = {sent.text: sent.time for sent in driver.messenger.of(chat.telegram_id, chat.id)}
        numbers = range(already[chat.id], len(chat.accepted_at))
        found += [came[chat.reply(n)] - chat.first_posted_at[n] for n in numbers if chat.reply(n) in came]
    return found


def _parked(run: Run, chats: list[Chat]) -> int:
    return _items(run, chats, "parked")


def _pending(run: Run, chats: list[Chat]) -> int:
    return _items(run, chats, "pending")


def _items(run: Run, chats: list[Chat], state: str) -> int:
    sql = "SELECT count(*) FROM conversations_update WHERE channel_id = %s AND state = %s"
    return int(run.ground.value(sql, chats[0].bot["channel_id"], state))


def _reasons(run: Run, chats: list[Chat]) -> int:
    return int(
        run.ground.value("SELECT count(*) FROM conversations_update WHERE channel_id = %s AND error <> ''", chats[0].bot["channel_id"])
    )
