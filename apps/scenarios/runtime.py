"""Scenarios as the answerer of a chat: which session an inbox item concerns, or what it starts."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from apps.bots.adapter import Inbound
from apps.bots.content import Content, Media
from apps.conversations import filelinks
from apps.conversations.models import Call, Conversation, Update
from apps.conversations.receiving import pressed_button
from apps.conversations.responder import Responder, Turn
from apps.identity import linking
from apps.scenarios import arriving, definitions, emitting, triggers
from apps.scenarios.commands import doing as commands
from apps.scenarios.commands.models import Command
from apps.scenarios.definitions import flow_of
from apps.scenarios.engine.contract import Fired, Pressed, Said
from apps.scenarios.ledger import Ledger
from apps.scenarios.models import Scenario, Session
from apps.scenarios.running import move, read_again, reply_to
from apps.scenarios.triggers import Found, Heard
from apps.scenarios.versions import moving


class ScenarioResponder(Responder):
    """Takes every item of a chat that the bot owns."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self._overtaken: set[int] = set()
        self._asked_again = False

    def open(self, turns: Sequence[Turn]) -> None:
        self.ledger.read([turn.chat.conversation for turn in turns])
        newest = {turn.chat.lane_id: turn.update.pk for turn in turns if _is_message(turn)}
        self._overtaken = {turn.update.pk for turn in turns if _is_message(turn) and newest[turn.chat.lane_id] != turn.update.pk}

    def respond(self, turn: Turn) -> bool:
        if turn.chat.conversation.owner != Conversation.Owner.BOT and turn.update.kind == Update.Kind.MESSENGER:
            return False
        handler: Callable[[Turn], None] = {
            Update.Kind.MESSENGER: self._messenger,
            Update.Kind.START: self._start,
            Update.Kind.TIMER: self._timer,
            Update.Kind.RESULT: self._result,
            Update.Kind.OPERATOR: self._operator,
        }[Update.Kind(turn.update.kind)]
        handler(turn)
        return True

    def close(self) -> None:
        self.ledger.write()

    def written(self) -> None:
        emitting.post(self.ledger.emitted)

    # --- by kind of item ----------------------------------------------------------------------------------------------

    def _messenger(self, turn: Turn) -> None:
        inbound = turn.inbound
        if inbound is None:
            return
        if inbound.kind == "button" and inbound.button:
            self._button(turn, inbound)
        elif inbound.kind == "start":
            self._chat_started(turn, inbound)
        else:
            self._said(turn, inbound)

    def _said(self, turn: Turn, inbound: Inbound) -> None:
        """Commands of the bot come first; then the open question, unless it lets keywords interrupt and this is one; then keywords, then
        whatever takes any message.
        """
        session = self.ledger.active(turn.chat.conversation.pk)
        if session and turn.update.pk in self._overtaken and flow_of(session.version_id).policies.two_messages == "latest":
            turn.record("message.overtaken", session_id=session.pk)
            return
        words = _heard(turn, inbound.text)
        command = commands.find(turn.chat.bot.pk, words)
        if command and (command.kind == Command.Kind.STOP or not session or _may_interrupt(session)):
            commands.do(turn, self.ledger, command, said=inbound.text)
            return
        found = triggers.by_keyword(turn.chat.bot.pk, words)
        if session and not (found and _may_interrupt(session)) and self._step(turn, session, _said(inbound, turn.files or inbound.media)):
            if found:
                turn.record(
                    "trigger.held", session_id=session.pk, details={"why": f"{found.reason}: the open question lets nothing interrupt"}
                )
            return
        self._trigger(turn, found or (None if session else self._unasked(turn, words)), words, user_input=inbound.text)

    def _unasked(self, turn: Turn, words: Heard) -> Found | None:
        """What takes a message that nobody waits for and that is no keyword; the first one of a chat opens it."""
        bot_id, first = turn.chat.bot.pk, turn.chat.conversation.last_seq <= 1

        def look() -> Found | None:
            return (triggers.by_new_chat(bot_id) if first else None) or triggers.by_any_message(bot_id)

        return look() or self._published_just_now(lambda: triggers.by_keyword(bot_id, words) or look())

    def _published_just_now(self, look: Callable[[], Found | None]) -> Found | None:
        """Before nothing is started: another look at what may have been published meanwhile, once for all items that were read together."""
        if self._asked_again:
            return None
        self._asked_again = True
        return look() if triggers.renewed() else None

    def _button(self, turn: Turn, inbound: Inbound) -> None:
        """A button is accepted while its very question is open; an older one gets the scenario's rule, never a wrong branch."""
        pressed = pressed_button(turn, inbound)
        if pressed is None:
            turn.record("button.refused", status="fail", details={"reason": "not a button of this chat"})
            return
        message, button = pressed
        session = self.ledger.find(turn.chat.conversation.pk, int(message.meta.get("session", 0)))
        entered = Pressed(
            node=message.meta.get("node", ""), visit=int(message.meta.get("visit", 0)), button=button["id"], label=button["label"]
        )
        if session and self._pressed(turn, session, entered):
            return
        turn.record("button.old", details={"label": button["label"]})
        text = flow_of(int(message.meta["version"])).old_button_text(turn.chat.person.language) if message.meta.get("version") else ""
        if text:
            turn.say(Content(text=text))

    def _pressed(self, turn: Turn, session: Session, entered: Pressed) -> bool:
        """A press on the open question of an interrupted session brings that session to the front."""
        if session.status == Session.Status.QUEUED or not move(turn, session, entered, self.ledger).handled:
            return False
        if session.status == Session.Status.SUSPENDED:
            arriving.bring_to_front(turn, self.ledger, session)
        arriving.moved(turn, self.ledger, session)
        return True

    def _chat_started(self, turn: Turn, inbound: Inbound) -> None:
        """/start, with or without the payload of a deep link. A connect token links the chat to its user first."""
        payload = inbound.payload
        if payload and linking.is_token(payload):
            linking.redeem(payload, turn.chat.lead)
            read_again(turn, self.ledger)
        bot_id, words = turn.chat.bot.pk, _heard(turn, "/start")

        def look() -> Found | None:
            return (
                (triggers.by_deep_link(bot_id, payload) if payload else None)
                or triggers.by_keyword(bot_id, words)
                or triggers.by_new_chat(bot_id)
                or triggers.by_any_message(bot_id)
            )

        self._trigger(turn, look() or self._published_just_now(look), words, user_input=inbound.text, params={"deep_link": payload})

    def _start(self, turn: Turn) -> None:
        """An endpoint call, an internal event or a person starts a scenario here. payload: scenario_id, entry, params, generation, why."""
        payload = turn.update.payload
        scenario = self._scenario(int(payload["scenario_id"]))
        if turn.chat.conversation.owner != Conversation.Owner.BOT:
            turn.update.outcome.update(status="skipped", reason="a colleague is in this conversation")
            turn.record("session.skipped", details={"scenario": scenario.key, "reason": "the conversation is not the bot's"})
            return
        arriving.start(
            turn,
            self.ledger,
            scenario=scenario,
            reason=payload.get("why") or payload.get("endpoint") or "call",
            generation=int(payload.get("generation", 0)),
            entered={"entry": payload.get("entry") or None, "params": payload.get("params") or {}},
        )

    def _timer(self, turn: Turn) -> None:
        payload = turn.update.payload
        session = self.ledger.find(turn.chat.conversation.pk, int(payload.get("session") or 0))
        if session and session.status == Session.Status.ACTIVE and turn.chat.conversation.owner == Conversation.Owner.BOT:
            self._step(turn, session, Fired(visit=int(payload["visit"]), reason=payload["reason"]))

    def _result(self, turn: Turn) -> None:
        """An outside call came back; a late one for a session that is over changes nothing."""
        payload = turn.update.payload
        session = self.ledger.find(turn.chat.conversation.pk, int(payload["session"]))
        call = Call.objects.filter(session_id=payload["session"], visit=payload["visit"]).order_by("-id").first()
        if session is None or call is None:
            return
        entered = reply_to(turn, session, call, payload["reply"], self.ledger)
        if session.status == Session.Status.ACTIVE:
            self._step(turn, session, entered)
        else:
            session.start = {**session.start, "returned": asdict(entered)}
            self.ledger.changed(session)

    def _operator(self, turn: Turn) -> None:
        """Acts of people on this chat. payload: act = cancel_session | say | move_session, with its data."""
        payload = turn.update.payload
        if payload.get("act") == "cancel_session":
            session = self.ledger.find(turn.chat.conversation.pk, int(payload["session"]))
            if session:
                arriving.cancel(turn, self.ledger, session, reason="cancelled by a colleague")
                arriving.after_end(turn, self.ledger, session)
        elif payload.get("act") == "say":
            turn.say(Content.model_validate(payload["content"]), author="operator", client_id=payload.get("client_id"))
        elif payload.get("act") == moving.ACT:
            carried = moving.move_now(turn, self.ledger)
            if carried:
                arriving.moved(turn, self.ledger, carried)

    # --- pieces -------------------------------------------------------------------------------------------------------

    def _step(self, turn: Turn, session: Session, entered: Any) -> bool:
        outcome = move(turn, session, entered, self.ledger)
        if outcome.handled:
            arriving.moved(turn, self.ledger, session)
        return outcome.handled

    def _trigger(self, turn: Turn, found: Found | None, words: Heard, *, user_input: str, params: dict[str, Any] | None = None) -> None:
        """What the words start, with the reason why nothing else did; when they start nothing, the bot's own answer."""
        others = triggers.passed_over(turn.chat.bot.pk, words, found)
        if found is None:
            turn.record("message.untaken", details={"others": others} if others else {})
            if turn.chat.bot.fallback_text:
                turn.say(Content(text=turn.chat.bot.fallback_text))
            return
        arriving.start(
            turn,
            self.ledger,
            scenario=self._scenario(found.scenario_id),
            reason=found.reason,
            others=others,
            entered={"entry": found.entry or None, "params": params or {}, "user_input": user_input},
        )

    def _scenario(self, scenario_id: int) -> Scenario:
        return definitions.startable(scenario_id)


def _heard(turn: Turn, text: str) -> Heard:
    chat = turn.chat
    username = str(chat.channel.account.get("username") or "")
    return Heard.of(text, language=chat.person.language or chat.bot.default_language, username=username)


def _is_message(turn: Turn) -> bool:
    return turn.inbound is not None and turn.inbound.kind == "message" and not turn.follows


def _may_interrupt(session: Session) -> bool:
    wait = (session.state or {}).get("wait") or {}
    return bool(wait.get("interruptible", True))


def _said(inbound: Inbound, files: Sequence[Media]) -> Said:
    media = tuple(_shown(item) for item in files)
    kind = "location" if inbound.location else "contact" if inbound.contact else str(media[0]["kind"]) if media else "text"
    return Said(
        text=inbound.text,
        kind={"image": "photo"}.get(kind, kind),
        media=media,
        contact=inbound.contact,
        location=dict(inbound.location) if inbound.location else None,
    )


def _shown(item: Media) -> dict[str, Any]:
    """What a scenario knows of a file; `url` is for other systems, for a day ("" when the installation has no public address)."""
    url = item.url or (filelinks.absolute(filelinks.of_uid(item.uid)) if item.uid else "")
    return {"kind": item.kind, "name": item.name, "mime": item.mime, "size": item.size, "url": url}
