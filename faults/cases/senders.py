"""Senders: killed between the messenger's acceptance and our note of it, and connections that break there."""

from faults import audit
from faults.audit import Allowed
from faults.driver import Chat, Driver
from faults.matrix import MACHINE, Run, fault

RECOVERY = 5.0
HANG = {"do": "accept_then_hang", "seconds": 60}
CUT = {"do": "accept_then_cut"}


@fault(
    "kill -9 of a sender between the messenger's acceptance and our note",
    bound=f"one extra copy, next message ≤ {RECOVERY:g} s",
    quick=True,
    takes=MACHINE,
)
def sender_before_the_note(run: Run) -> None:
    chats = run.people(chats=4, count=3)
    victim = chats[0]
    run.ground.messenger(victim.bot).script(HANG, chat_id=victim.id)
    driver = run.driver(chats, rate=10).start()
    moment = _kill_holder(run, driver, victim, copies=1)
    run.finish(driver, allowed=Allowed(copies=True))
    run.within("recovery", audit.recovery(driver, moment), RECOVERY)


@fault("two senders die one after the other with the same message", bound="never a third copy; the message is shown as unknown", quick=True)
def sender_dies_twice(run: Run) -> None:
    chats = run.people(chats=3, count=3)
    victim = chats[0]
    run.ground.messenger(victim.bot).script(HANG, HANG, chat_id=victim.id)
    driver = run.driver(chats, rate=10).start()
    _kill_holder(run, driver, victim, copies=1)
    _kill_holder(run, driver, victim, copies=2)
    run.finish(driver, allowed=Allowed(copies=True, unknown=frozenset({victim.reply(0)})))
    run.check("the message is not shown as unknown", holds=_states(run, victim)[0] == "unknown")


@fault("a sender dies with a message that must not be doubled (a code)", bound="the code leaves once; it is shown as unknown", quick=True)
def sender_dies_with_a_code(run: Run) -> None:
    chats = run.people(chats=2, count=2)
    victim = chats[0]
    channel = victim.bot["channel_id"]
    run.ground.rows("UPDATE bots_channel SET paused_until = now() + interval '1 hour' WHERE id = %s RETURNING 1", channel)
    run.ground.messenger(victim.bot).script(HANG, chat_id=victim.id)
    driver = run.driver(chats, rate=10).start()
    run.until(
        lambda: run.ground.value("SELECT count(*) FROM conversations_outbox WHERE chat_id = %s", str(victim.id)), "a message in the outbox"
    )
    run.ground.rows("UPDATE conversations_outbox SET at_most_once = true WHERE chat_id = %s RETURNING 1", str(victim.id))
    run.ground.rows("UPDATE bots_channel SET paused_until = NULL WHERE id = %s RETURNING 1", channel)
    _kill_holder(run, driver, victim, copies=1)
    run.finish(driver, allowed=Allowed(copies=True, unknown=frozenset({victim.reply(0)})))
    run.check("the code was sent twice", holds=not run.arrived(driver, victim, 0, 2))
    run.check("the message is not shown as unknown", holds=_states(run, victim)[0] == "unknown")


@fault("the messenger accepts and the connection breaks", bound="one extra copy", quick=True)
def connection_cut_after_acceptance(run: Run) -> None:
    chats = run.people(chats=4, count=3)
    run.ground.messenger(chats[0].bot).script(CUT, chat_id=chats[0].id)
    driver = run.driver(chats, rate=10).start()
    run.finish(driver, allowed=Allowed(copies=True))


@fault("the messenger accepts and every connection breaks", bound="never a third copy; the message is shown as unknown")
def connection_always_cut(run: Run) -> None:
    chats = run.people(chats=3, count=2)
    victim = chats[0]
    run.ground.messenger(victim.bot).script({**CUT, "times": 8}, chat_id=victim.id)
    driver = run.driver(chats, rate=10).start()
    every = frozenset({f"{n}:c{victim.id}.{n}" for n in range(2)})
    run.finish(driver, allowed=Allowed(copies=True, unknown=every))
    run.check(f"states {_states(run, victim)}", holds=_states(run, victim)[0] == "unknown")


def _kill_holder(run: Run, driver: Driver, chat: Chat, *, copies: int) -> float:
    """Kill the sender whose message the messenger has just accepted without answering."""
    run.until(lambda: run.arrived(driver, chat, 0, copies), f"copy {copies} at the messenger")
    run.until(lambda: run.has_in_hand(chat), "a sender with the message in hand")
    return run.ground.kill(run.has_in_hand(chat))


def _states(run: Run, chat: Chat) -> list[str]:
    rows = run.ground.rows(
        "SELECT m.state FROM conversations_message m JOIN conversations_conversation c ON c.id = m.conversation_id "
        "JOIN identity_lead l ON l.id = c.lead_id WHERE l.chat_id = %s AND m.direction = 'out' ORDER BY m.seq", str(chat.id),
    )  # fmt: skip
    return [str(state) for (state,) in rows]
