"""After each fault: the ledgers against the database. Every complaint is one line that says which promise is broken and where.

1 accept and keep · 2 one effect · 3 bound on copies · 4 order per chat · 5 one worker at a time · 6 nothing left over · 7 calls once · 9 rates ·
no secret in any log. Nothing of the product is imported: the database is read in SQL, as a stranger would.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from faults import ledgers, windows
from faults.driver import CALL, Chat, Driver
from faults.ground import Ground

MOST_COPIES = 2
SHOWN = 3
STEPS = {"talk": (2, 2), "buttons": (2, 2), "ordering": (3, 3), CALL: (0, 3)}  # of the first message, of each further one

WITNESS = """
CREATE TABLE IF NOT EXISTS faults_overlap (at timestamptz DEFAULT clock_timestamp(), what text, conversation bigint, pid int);
CREATE OR REPLACE FUNCTION faults_witness() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE mine bigint; place bigint; lane bigint;
BEGIN
    IF TG_TABLE_NAME = 'conversations_message' THEN mine := NEW.conversation_id;
    ELSE SELECT conversation_id INTO mine FROM scenarios_session WHERE id = NEW.session_id; END IF;
    SELECT lane_id INTO lane FROM conversations_conversation WHERE id = mine;
    place := 6734::bigint << 48 | lane;
    IF NOT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND granted
                   AND classid::bigint = place >> 32 AND objid::bigint = place & 4294967295) THEN
        INSERT INTO faults_overlap (what, conversation, pid) VALUES (TG_TABLE_NAME, mine, pg_backend_pid());
    END IF;
    RETURN NEW;
END $$;
DROP TRIGGER IF EXISTS faults_witness ON conversations_message;
DROP TRIGGER IF EXISTS faults_witness ON scenarios_sessionstep;
CREATE CONSTRAINT TRIGGER faults_witness AFTER INSERT ON conversations_message
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION faults_witness();
CREATE CONSTRAINT TRIGGER faults_witness AFTER INSERT OR UPDATE ON scenarios_sessionstep
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION faults_witness();
"""
"""The database itself sees to it that whoever writes a message or a step holds the (exclusive) lock of that chat's lane when it commits."""


@dataclass
class Findings:
    """`problems` must be empty; `copies` are messages that reached the messenger more than once."""

    problems: list[str] = field(default_factory=list)
    copies: int = 0

    def add(self, promise: str, complaints: Iterable[str]) -> None:
        found = list(complaints)
        self.problems += [f"{promise}: {complaint}" for complaint in found[:SHOWN]]
        if len(found) > SHOWN:
            self.problems.append(f"{promise}: … and {len(found) - SHOWN} more")


@dataclass(frozen=True)
class Allowed:
    """What this fault may cause. `copies`: extra copies of a message. `unknown`: texts whose sending may stay in doubt. `failed`: texts that
    the messenger refuses for good. `doubts`: any message may stay in doubt (two senders died with it), which people are shown.
    """

    copies: bool = False
    unknown: frozenset[str] = frozenset()
    parked: int = 0
    failed: frozenset[str] = frozenset()
    doubts: bool = False
    late_copies: bool = False


NOTHING = Allowed()


def forget_overlaps(ground: Ground) -> None:
    with ground.database() as connection:
        connection.execute("DELETE FROM faults_overlap")


def install_witness(ground: Ground) -> None:
    with ground.database() as connection:
        connection.execute(WITNESS.encode())


def audit(ground: Ground, driver: Driver, *, allowed: Allowed = NOTHING, rates: bool = True) -> Findings:
    """All of it, for the chats of this driver; `rates` False when its senders were told to keep none."""
    driver.messenger.look()
    findings = Findings()
    if allowed.doubts:
        allowed = replace(allowed, unknown=allowed.unknown | doubtful(ground, driver.chats))
    findings.add("the driver", driver.problems)
    for chat in driver.chats:
        _messenger(driver, chat, allowed, findings)
    findings.add("2 one effect", _stored(ground, driver.chats))
    findings.add("2 one effect", _steps(ground, driver.chats))
    findings.add("2 one effect", _events(ground, driver.chats))
    findings.add("5 one at a time", overlaps(ground))
    findings.add("6 nothing left over", left(ground, driver.chats, or_came_twice(driver, allowed)))
    findings.add("7 calls", _calls(ground, driver.chats))
    bots = {chat.telegram_id for chat in driver.chats}
    findings.add("9 rates", windows.exceeded(driver.messenger.of_bots(bots)) if rates else ())
    findings.add("no secret in a log", secrets_in_logs(ground, driver.chats))
    return findings


def doubtful(ground: Ground, chats: Sequence[Chat]) -> frozenset[str]:
    """Texts that are shown to people as "it is not known whether this arrived"."""
    sql = "SELECT text FROM conversations_message WHERE channel_id = ANY(%s) AND state = 'unknown'"
    return frozenset(text for (text,) in ground.rows(sql, list(_channels(chats))))


def or_came_twice(driver: Driver, allowed: Allowed) -> Allowed:
    """Where copies are allowed a message that came twice may stay in doubt: it had left both times when its sender died."""
    if not allowed.copies:
        return allowed
    driver.messenger.look()
    counted = Counter(sent.text for chat in driver.chats for sent in driver.messenger.of(chat.telegram_id, chat.id))
    return replace(allowed, unknown=allowed.unknown | {text for text, count in counted.items() if count == MOST_COPIES})


def _messenger(driver: Driver, chat: Chat, allowed: Allowed, findings: Findings) -> None:
    """What the messenger got of one chat: everything, in order, copies within the bound."""
    got = [sent.text for sent in driver.messenger.of(chat.telegram_id, chat.id)]
    spared = allowed.unknown | allowed.failed
    wanted = [text for text in chat.replies if text not in spared]
    first = list(dict.fromkeys(text for text in got if text not in spared))
    if first != wanted:
        lost, strange = [t for t in wanted if t not in got], [t for t in first if t not in wanted]
        findings.add(
            "1 nothing lost",
            [f"chat {chat.id}: lost {lost[:SHOWN]}, strange {strange[:SHOWN]}, got {len(first)} of {len(wanted)}"]
            if lost or strange
            else [],
        )
        findings.add("4 order", [] if lost or strange else [f"chat {chat.id}: {first[:8]}… instead of {wanted[:8]}…"])
    counted = Counter(got)
    findings.copies += sum(count - 1 for count in counted.values())
    most = MOST_COPIES if allowed.copies else 1
    findings.add("3 copies", [f"chat {chat.id}: {text!r} came {count} times" for text, count in counted.items() if count > most])
    if not allowed.late_copies:
        runs = [text for place, text in enumerate(got) if place == 0 or got[place - 1] != text]
        findings.add("4 order", [f"chat {chat.id}: a copy overtaken by its successors: {got[:12]}"] if len(runs) != len(set(runs)) else [])


def _stored(ground: Ground, chats: Sequence[Chat]) -> Iterator[str]:
    """Messages of each conversation: what was said and what was answered, once each, numbered without gaps."""
    rows = ground.rows(
        "SELECT l.channel_id, l.chat_id, m.direction, m.seq, m.text, c.last_seq FROM conversations_message m "
        "JOIN conversations_conversation c ON c.id = m.conversation_id JOIN identity_lead l ON l.id = c.lead_id "
        "WHERE l.channel_id = ANY(%s) ORDER BY m.conversation_id, m.seq",
        list(_channels(chats)),
    )
    known: dict[tuple[int, str], list[tuple[Any, ...]]] = {}
    for channel, chat_id, *rest in rows:
        known.setdefault((channel, chat_id), []).append(tuple(rest))
    for chat in chats:
        mine = known.get((chat.bot["channel_id"], str(chat.id)), [])
        heard, said = ([row[2] for row in mine if row[0] == way] for way in ("in", "out"))
        taken = chat.heard
        if heard != taken:
            yield f"chat {chat.id}: {len(heard)} messages stored, {len(taken)} accepted; {_difference(heard, taken)}"
        if said != chat.replies:
            yield f"chat {chat.id}: {len(said)} replies stored, {len(chat.replies)} expected; {_difference(said, chat.replies)}"
        if [row[1] for row in mine] != list(range(1, len(mine) + 1)) or (mine and mine[0][3] != len(mine)):
            yield f"chat {chat.id}: numbers with gaps {[row[1] for row in mine][:12]}"


def _difference(got: Sequence[str], wanted: Sequence[str]) -> str:
    place = next((i for i, (one, other) in enumerate(zip(got, wanted, strict=False)) if one != other), min(len(got), len(wanted)))
    return f"at {place}: {list(got[place : place + 2])} instead of {list(wanted[place : place + 2])}"


def _steps(ground: Ground, chats: Sequence[Chat]) -> Iterator[str]:
    """One step row a node visit, visits without gaps, nothing noted twice, and as many as the messages make."""
    rows = ground.rows(
        "SELECT l.channel_id, l.chat_id, s.session_id, count(*), max(s.visit), "
        "max((SELECT count(*) FROM jsonb_array_elements(s.events) e WHERE e->>'kind' = 'entered')), "
        "max((SELECT count(*) FROM jsonb_array_elements(s.events) e WHERE e->>'kind' = 'left')) "
        "FROM scenarios_sessionstep s JOIN scenarios_session n ON n.id = s.session_id JOIN identity_lead l ON l.id = n.lead_id "
        "WHERE l.channel_id = ANY(%s) GROUP BY 1, 2, 3",
        list(_channels(chats)),
    )
    total: Counter[tuple[int, str]] = Counter()
    for channel, chat_id, session, count, last, entered, left in rows:
        total[channel, chat_id] += count
        if count != last:
            yield f"session {session}: {count} steps, last visit {last}"
        if entered != 1 or left > 1:
            yield f"session {session}: a node entered {entered} or left {left} times in one visit"
    for chat in chats:
        if chat.kind in STEPS and chat.accepted_at:
            first, more = STEPS[chat.kind]
            wanted = first + more * (len(chat.accepted_at) - (0 if chat.kind == CALL else 1))
            found = total[chat.bot["channel_id"], str(chat.id)]
            if found != wanted:
                yield f"chat {chat.id}: {found} steps instead of {wanted}"


def _events(ground: Ground, chats: Sequence[Chat]) -> Iterator[str]:
    """The log counts each thing once."""
    rows = ground.rows(
        "SELECT e.channel_id, e.kind, count(*) FROM events_event e WHERE e.channel_id = ANY(%s) "
        "AND e.kind IN ('message.received', 'button.pressed', 'message.sent') GROUP BY 1, 2",
        list(_channels(chats)),
    )
    counted: Counter[str] = Counter()
    for channel, kind, count in rows:
        counted[f"{channel} {'sent' if kind == 'message.sent' else 'received'}"] += count
    stored = ground.rows(
        "SELECT channel_id, direction, count(*) FROM conversations_message WHERE channel_id = ANY(%s) AND state NOT IN ('unknown', 'failed') GROUP BY 1, 2",
        list(_channels(chats)),
    )
    for channel, direction, count in stored:
        name = f"{channel} {'sent' if direction == 'out' else 'received'}"
        if counted[name] != count:
            yield f"channel {name}: {counted[name]} events for {count} messages"


def overlaps(ground: Ground) -> Iterator[str]:
    for what, conversation, pid in ground.rows("SELECT what, conversation, pid FROM faults_overlap"):
        yield f"{what} of conversation {conversation} written by session {pid} without the chat's lock"


def left(ground: Ground, chats: Sequence[Chat], allowed: Allowed = NOTHING) -> Iterator[str]:
    """No item, message, call or lane waits for ever; nothing is parked that was not meant to be."""
    channels = list(_channels(chats))
    for state, count, reason in ground.rows(
        "SELECT state, count(*), max(error) FROM conversations_update WHERE channel_id = ANY(%s) AND state <> 'done' GROUP BY 1", channels
    ):
        if state != "parked" or count != allowed.parked:
            yield f"{count} inbox items are {state}" + (f" ({reason[:200]})" if reason else "")
    for what, sql in (
        ("messages wait to be sent", "SELECT count(*) FROM conversations_outbox WHERE channel_id = ANY(%s)"),
        ("calls are pending", "SELECT count(*) FROM conversations_call WHERE channel_id = ANY(%s) AND state = 'pending'"),
        (
            "lanes are not at rest",
            f"SELECT count(*) FROM conversations_lane WHERE (wake_at IS NOT NULL OR held_until IS NOT NULL OR attempts <> 0) AND {_OF}",
        ),
        (
            "messages are not sent",
            "SELECT count(*) FROM conversations_message WHERE channel_id = ANY(%s) AND direction = 'out' AND state NOT IN ('sent', 'unknown', 'failed')",
        ),
    ):
        count = ground.value(sql, channels)
        if count:
            yield f"{count} {what}"
    doubtful = ground.rows("SELECT text FROM conversations_message WHERE channel_id = ANY(%s) AND state = 'unknown'", channels)
    strange = [text for (text,) in doubtful if text not in allowed.unknown]
    if strange and not allowed.doubts:
        yield f"left in doubt: {strange[:SHOWN]}"
    refused = ground.rows("SELECT text FROM conversations_message WHERE channel_id = ANY(%s) AND state = 'failed'", channels)
    if {text for (text,) in refused} != allowed.failed:
        yield f"failed messages {[text for (text,) in refused][:SHOWN]} instead of {sorted(allowed.failed)[:SHOWN]}"


_OF = "split_part(key, ':', 1)::bigint = ANY(%s)"


def _calls(ground: Ground, chats: Sequence[Chat]) -> Iterator[str]:
    """Each answer of an ordering chat had one effect in the CRM, under one key with one body."""
    ordering = {str(chat.id): chat for chat in chats if chat.kind == "ordering"}
    if not ordering:
        return
    rows = [row for row in ledgers.lines(ground.crm_ledger) if row["chat"] in ordering]
    effects = Counter((row["chat"], str(row["body"].get("n"))) for row in rows if row["effect"])
    for chat_id, chat in ordering.items():
        for number in range(1, len(chat.accepted_at)):
            if effects[chat_id, str(number)] != chat.effects.get(number, 1):
                yield f"chat {chat_id}: effect {number} took place {effects[chat_id, str(number)]} times"
    bodies: dict[str, set[str]] = {}
    for row in rows:
        bodies.setdefault(row["key"], set()).add(f"{row['path']} {row['body']}")
    yield from (f"key {key!r} came with {len(seen)} bodies" for key, seen in bodies.items() if len(seen) > 1 or not key)


def secrets_in_logs(ground: Ground, chats: Sequence[Chat] = ()) -> Iterator[str]:
    """Tokens, keys and passwords of this run, looked for in every log of every process."""
    secrets = dict(ground.secrets)
    for bot in {chat.bot["bot_id"]: chat.bot for chat in chats}.values():
        secrets |= {f"{name} of bot {bot['bot_id']}": bot[name] for name in ("bot_token", "secret", "api_token") if bot.get(name)}
    for log in sorted(ground.logs.iterdir()):
        text = log.read_text(errors="replace")
        yield from (f"{name} stands in {log.name}" for name, secret in secrets.items() if secret in text)


def recovery(driver: Driver, since: float, *, before: float = 3, after: float = 1) -> float:
    """Seconds from `since` until the last message was answered of those accepted shortly before or after it."""
    driver.messenger.look()
    slowest = 0.0
    for chat in driver.chats:
        came: dict[str, float] = {}
        for sent in driver.messenger.of(chat.telegram_id, chat.id):
            came.setdefault(sent.text, sent.time)
        for number, accepted in enumerate(chat.accepted_at):
            if since - before <= accepted <= since + after and chat.reply(number) in came:
                slowest = max(slowest, came[chat.reply(number)] - max(since, accepted))
    return slowest


def latencies(driver: Driver, chats: Iterable[Chat] | None = None) -> list[float]:
    """Seconds from the first posting of each message to its reply at the messenger, sorted."""
    driver.messenger.look()
    found = []
    for chat in driver.chats if chats is None else chats:
        came: dict[str, float] = {}
        for sent in driver.messenger.of(chat.telegram_id, chat.id):
            came.setdefault(sent.text, sent.time)
        found += [came[chat.reply(n)] - at for n, at in enumerate(chat.first_posted_at[: len(chat.accepted_at)]) if chat.reply(n) in came]
    return sorted(found)


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def _channels(chats: Sequence[Chat]) -> set[int]:
    return {int(chat.bot["channel_id"]) for chat in chats}
