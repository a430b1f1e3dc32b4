"""Names of the log's kinds for people. A kind without a name here is shown as it is written: `crm.synced` → “crm: synced”."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

NAMES: dict[str, tuple[str | Promise, str]] = {
    "endpoint.called": (_("A system called an endpoint"), "login"),
    "endpoint.refused": (_("A call was refused"), "block"),
    "chat.started": (_("The client opened the chat"), "waving_hand"),
    "message.received": (_("Message from the client"), "chat_bubble"),
    "button.pressed": (_("The client pressed a button"), "touch_app"),
    "message.sent": (_("The messenger took the message"), "send"),
    "message.failed": (_("The message failed"), "sms_failed"),
    "message.unknown": (_("Not known whether the message arrived"), "help"),
    "message.delivered": (_("Delivered"), "done"),
    "message.read": (_("Read"), "done_all"),
    "inbox.parked": (_("An inbox item was parked"), "report"),
    "inbox.replayed": (_("A parked item was replayed"), "replay"),
    "inbox.discarded": (_("A parked item was discarded"), "delete"),
    "lead.blocked": (_("The client blocked the bot"), "block"),
    "lead.unblocked": (_("The client came back"), "undo"),
    "lead.migrated": (_("The chat has a new id"), "move_down"),
    "channel.failing": (_("A channel fails"), "link_off"),
    "channel.recovered": (_("A channel works again"), "link"),
    "person.changed": (_("Data of the person changed"), "person_edit"),
    "session.started": (_("The scenario began"), "play_circle"),
    "session.ended": (_("The scenario ended"), "check_circle"),
    "session.failed": (_("The scenario failed"), "error"),
    "session.cancelled": (_("The scenario was cancelled"), "cancel"),
    "scenario.published": (_("A scenario was published"), "rocket_launch"),
    "action.called": (_("Outside call"), "call_made"),
}


def kind_title(kind: str) -> str | Promise:
    return NAMES[kind][0] if kind in NAMES else kind.replace(".", ": ").replace("_", " ")


def kind_icon(kind: str) -> str:
    return NAMES[kind][1] if kind in NAMES else "circle"
