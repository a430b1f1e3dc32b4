"""What a messenger told us becomes a message of the conversation, a receipt, or news about the chat."""

from collections.abc import Sequence

from apps.bots import tokens
from apps.bots.adapter import Inbound
from apps.bots.content import Contact, Content, Location
from apps.conversations import lanes, receipts
from apps.conversations.models import Message
from apps.conversations.responder import Turn
from apps.core.masking import mask_phone
from apps.identity import proving, resolving

SAID = frozenset({"message", "button", "start"})  # kinds by which a person says something
ALBUM_SPAN = 30  # messages back in which the first one of an album is looked for


def note_senders(turns: Sequence[Turn]) -> None:
    """Note who wrote, for a whole batch at once, before any of its items is answered."""
    resolving.heard_from(
        [
            resolving.Heard(turn.chat.lead, turn.now, turn.inbound.profile)
            for turn in turns
            if turn.inbound and turn.inbound.kind in SAID and not turn.repeats
        ]
    )


def receive(turn: Turn) -> bool:
    """Note one inbound; True when a responder should answer (a message, a button, a start), False when it was only news."""
    inbound = turn.inbound
    if inbound is None:
        return True
    receiver = _RECEIVERS.get(inbound.kind)
    return receiver(turn, inbound) if receiver else False


def _message(turn: Turn, inbound: Inbound) -> bool:
    if turn.repeats:
        return False
    _reachable(turn)
    if inbound.contact and inbound.contact.get("own"):
        proving.own_contact(turn.chat.lead, phone=inbound.contact.get("phone", ""))
    follows = turn.follows or _goes_on(turn, inbound.album)
    turn.hear(_content(inbound), external_id=inbound.external_id, meta={"album": inbound.album} if inbound.album else {})
    turn.record("message.received", details={"kind": inbound.kind, "media": [item.kind for item in inbound.media]})
    return not follows


def _button(turn: Turn, inbound: Inbound) -> bool:
    """The pressed button's label is the client's message; an answer to the messenger's spinner is owed at once."""
    _reachable(turn)
    if inbound.callback_id:
        turn.chat.written.acknowledge.append((turn.chat.channel.pk, inbound.callback_id))
    pressed = pressed_button(turn, inbound)
    label = pressed[1].get("label", "") if pressed else inbound.text
    turn.hear(Content(text=label), meta={"button": pressed[1].get("id", "")} if pressed else {})
    turn.record("button.pressed", details={"label": label})
    return True


def _start(turn: Turn, inbound: Inbound) -> bool:
    _reachable(turn)
    turn.hear(Content(text=inbound.text or "/start"), external_id=inbound.external_id)
    turn.record("chat.started", details={"deep_link": bool(inbound.payload)})
    return True


def _edited(turn: Turn, inbound: Inbound) -> bool:
    """An edited message changes what people read, not what the scenario did with it."""
    receipts.edited(turn, external_id=inbound.reply_to or inbound.external_id, content=_content(inbound))
    return False


def _receipt(turn: Turn, inbound: Inbound) -> bool:
    receipts.raise_state(turn, external_id=inbound.reply_to, state=inbound.receipt, reason=inbound.text)
    return False


def _blocked(turn: Turn, _inbound: Inbound) -> bool:
    resolving.deactivate(turn.chat.lead, reason="The client blocked the bot.")
    turn.record("lead.blocked")
    return False


def _unblocked(turn: Turn, _inbound: Inbound) -> bool:
    resolving.activate(turn.chat.lead)
    turn.record("lead.unblocked")
    return False


def _migrated(turn: Turn, inbound: Inbound) -> bool:
    resolving.migrate(turn.chat.lead, chat_id=inbound.payload)
    lanes.rekey(turn.chat.lane_id, key=lanes.key_of(channel_id=turn.chat.channel.pk, chat_id=inbound.payload))
    turn.record("lead.migrated")
    return False


_RECEIVERS = {
    "message": _message,
    "button": _button,
    "start": _start,
    "edited": _edited,
    "receipt": _receipt,
    "blocked": _blocked,
    "unblocked": _unblocked,
    "migrated": _migrated,
}


def pressed_button(turn: Turn, inbound: Inbound) -> tuple[Message, dict[str, str]] | None:
    """The message of ours that carried the pressed button and the button as stored; None for a forged, foreign or unknown token."""
    found = tokens.decode(inbound.button)
    if found is None:
        return None
    message_id, index = found
    message = Message.objects.filter(pk=message_id, conversation__lead_id=turn.chat.lead.pk, direction="out").first()
    buttons = Content.model_validate(message.content).flat_buttons() if message else []
    return (message, buttons[index].model_dump()) if message and index < len(buttons) else None


def _reachable(turn: Turn) -> None:
    """Who blocked the bot and wrote again within one batch can be written to."""
    resolving.activate(turn.chat.lead)


def _goes_on(turn: Turn, album: str) -> bool:
    """Whether an earlier message of this album has been answered already: one that was sent together gets one answer."""
    if not album:
        return False
    conversation = turn.chat.conversation
    recent = Message.objects.filter(conversation=conversation, seq__gt=conversation.last_seq - ALBUM_SPAN, direction="in")
    return recent.filter(meta__album=album).exists()


def _content(inbound: Inbound) -> Content:
    """What people read later: a shared phone is kept with the person, encrypted; here it is masked."""
    contact = inbound.contact
    return Content(
        text=inbound.text,
        media=list(inbound.media),
        location=Location(**inbound.location) if inbound.location else None,
        contact=Contact(phone=mask_phone(contact.get("phone", "")), name=contact.get("name", ""), own=contact.get("own", False))
        if contact
        else None,
    )
