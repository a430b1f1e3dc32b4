"""Many at once: ten thousand updates in a burst, five askers on one chat, updates out of order, at the same moment and again."""

import random
import threading
from collections import Counter

import psutil

from faults import audit, driver
from faults.driver import Chat
from faults.matrix import MACHINE, Run, fault

BURST = 10_000
BOTS, CHATS = 50, 1000
P99 = 1.0
LAST = 30.0  # seconds; more is no backlog but standing still, see docs/decisions/2026-11-22-a-backlog-after-silence.md
SILENCE = 2.5  # senders look for themselves once a second
GROWTH = 1.25
GRACE_MB = 40.0  # caches that fill once, see docs/promise.md
WRITERS, COLLEAGUES, SAID_EACH = 3, 2, 2


@fault(
    f"{BURST:,} updates in one burst",
    bound=f"all accepted, p99 of the answers ≤ {P99:g} s, memory flat, each is answered ≤ {LAST:g} s",
    slow=True,
    takes=MACHINE,
)
def burst(run: Run) -> None:
    """Two bursts; the first warms the caches, and what the second adds to memory is what would grow for ever. Between them all plans are made anew
    for an empty outbox, as they are after a silence.
    """
    chats = run.people(chats=CHATS, count=1, bots=BOTS)
    run.begun(chats, more=BURST // CHATS)
    with run.ground.database() as session:
        session.execute("VACUUM ANALYZE conversations_outbox")
    run.ground.sleep(SILENCE)
    before = _memory(run)
    posting = run.driver(chats, rate=0, repeats=0.0).start()
    run.ground.wait(lambda: posting.done, seconds=240, step=0.2)
    peak = _memory(run)
    answers = [answer for answer in posting.answers if not answer.repeat]
    run.finish(posting, seconds=300)
    took = max(a.time for a in answers) - min(a.time for a in answers)
    run.measured["accepted"] = f"{len(answers):,} in {took:.0f} s"
    run.check("not all were accepted at once", holds=all(answer.status == 200 for answer in posting.answers))  # noqa: PLR2004
    run.within("p99 answer", audit.percentile([answer.ms / 1000 for answer in answers], 0.99), P99)
    run.within("last answer", audit.latencies(posting)[-1], LAST)
    for name, megabytes in _memory(run).items():
        most = max(megabytes, peak.get(name, 0.0))
        run.measured[name] = f"{before[name]:.0f} → {most:.0f} MB"
        run.check(f"{name} grew from {before[name]:.0f} to {most:.0f} MB", holds=most <= before[name] * GROWTH + GRACE_MB)


@fault("two workers and five askers on one chat at the same moment", bound="one at a time: every message counted once", quick=True)
def askers_on_one_chat(run: Run) -> None:
    """Three people of a group write, each update twice, while two colleagues speak. Nobody waits for anybody, so any order is right; but each
    message has its own number and each number one message.
    """
    [chat] = run.people(chats=1, count=0)
    run.driver([chat]).start().finish(seconds=10)
    threads = [
        threading.Thread(target=_ask if asker < WRITERS else _speak, args=(run, chat, asker)) for asker in range(WRITERS + COLLEAGUES)
    ]
    for thread in threads:
        thread.start()
    run.ground.wait(lambda: not any(thread.is_alive() for thread in threads), seconds=30)
    wanted = (WRITERS + COLLEAGUES) * SAID_EACH
    run.until(lambda: len(_replies(run, chat)) >= wanted, "all replies", seconds=30)
    replies = Counter(_replies(run, chat))
    answers = [text.split(":") for text in replies if ":" in text]
    written = [f"a{asker}.{n}" for asker in range(WRITERS) for n in range(SAID_EACH)]
    spoken = [f"colleague {asker}.{n}" for asker in range(WRITERS, WRITERS + COLLEAGUES) for n in range(SAID_EACH)]
    run.check(f"answers {sorted(answers)}", holds=sorted(int(number) for number, _words in answers) == list(range(len(written))))
    run.check(f"answers {sorted(answers)}", holds=sorted(words for _number, words in answers) == sorted(written))
    run.check(f"colleagues {sorted(replies)}", holds=sorted(text for text in replies if ":" not in text) == sorted(spoken))
    run.check("a reply was doubled", holds=set(replies.values()) == {1})
    run.problems += list(audit.overlaps(run.ground))
    run.until(lambda: not list(audit.left(run.ground, [chat])), "the sending of all replies", seconds=60)


@fault("updates come out of order, twice and at the same moment", bound="handled once, in the order in which they were stored", quick=True)
def out_of_order(run: Run) -> None:
    chats = run.people(chats=12, count=5, bots=2)
    for chat in chats:
        chat.numbers = random.Random(f"{run.seed}:{chat.id}").sample(range(50), 5)
    run.finish(run.driver(chats, rate=20, repeats=0.8).start())


def _ask(run: Run, chat: Chat, asker: int) -> None:
    """One asker: its messages one after the other, each posted twice."""
    for number in range(SAID_EACH):
        update = driver.message(chat, 100 * asker + number, f"a{asker}.{number}")
        for _time in range(2):
            status = driver.post(run.ground.base_url, chat, update)
            run.check(f"asker {asker} was answered {status}", holds=status == 200)  # noqa: PLR2004


def _speak(run: Run, chat: Chat, asker: int) -> None:
    for number in range(SAID_EACH):
        payload = {"act": "say", "content": {"text": f"colleague {asker}.{number}"}}
        run.ground.clerk("act", channel_id=chat.bot["channel_id"], chat=chat.id, payload=payload)


def _replies(run: Run, chat: Chat) -> list[str]:
    sql = "SELECT text FROM conversations_message WHERE channel_id = %s AND direction = 'out'"
    return [str(text) for (text,) in run.ground.rows(sql, chat.bot["channel_id"])]


def _memory(run: Run) -> dict[str, float]:
    """Megabytes of memory of each kind of process, with all that it started."""
    found: Counter[str] = Counter()
    for name in run.ground.wanted:
        process = psutil.Process(run.ground.processes[name].pid)
        found[name.rstrip("0123456789")] += sum(one.memory_info().rss for one in (process, *process.children(recursive=True))) // 1_000_000
    return dict(found)
