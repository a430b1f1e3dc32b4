"""Names of the log's kinds for people. A kind without a name here is shown as it is written: `crm.synced` → “crm: synced”."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

NAMES: dict[str, tuple[str | Promise, str]] = {
    "endpoint.called": (_("A system called an endpoint"), "login"),
    "endpoint.dry_run": (_("A system made a dry run"), "science"),
    "chat.started": (_("The client opened the chat"), "waving_hand"),
    "message.received": (_("Message from the client"), "chat_bubble"),
    "message.edited": (_("The client edited a message"), "edit"),
    "button.pressed": (_("The client pressed a button"), "touch_app"),
    "button.old": (_("The client pressed an old button"), "history"),
    "button.refused": (_("A button was refused"), "block"),
    "message.sent": (_("The messenger took the message"), "send"),
    "message.failed": (_("The message failed"), "sms_failed"),
    "message.unknown": (_("Not known whether the message arrived"), "help"),
    "message.delivered": (_("Delivered"), "done"),
    "message.read": (_("Read"), "done_all"),
    "call.made": (_("We called another system"), "call_made"),
    "script.ran": (_("A custom action ran"), "code"),
    "call.retried": (_("Our call failed and is tried again"), "replay"),
    "call.answered": (_("The other system answered by callback"), "call_received"),
    "inbox.parked": (_("An inbox item was parked"), "report"),
    "inbox.replayed": (_("A parked item was replayed"), "replay"),
    "inbox.discarded": (_("A parked item was discarded"), "delete"),
    "lead.connected": (_("The chat was linked to a user"), "link"),
    "lead.not_connected": (_("The chat was not linked"), "link_off"),
    "lead.disconnected": (_("The chat was unlinked"), "link_off"),
    "lead.blocked": (_("The client blocked the bot"), "block"),
    "lead.unblocked": (_("The client came back"), "undo"),
    "lead.migrated": (_("The chat has a new id"), "move_down"),
    "connect_link.made": (_("A connect link was made"), "add_link"),
    "connect_link.refused": (_("A connect link was refused"), "link_off"),
    "code.sent": (_("A one-time code was sent"), "pin"),
    "code.failed": (_("A one-time code could not be sent"), "error"),
    "channel.failing": (_("A channel fails"), "signal_disconnected"),
    "channel.recovered": (_("A channel works again"), "cell_tower"),
    "channel.connected": (_("A channel was connected"), "cell_tower"),
    "person.changed": (_("Data of the person changed"), "person_edit"),
    "person.merged": (_("Two people were merged"), "merge"),
    "person.unmerged": (_("A merge was undone"), "call_split"),
    "session.started": (_("The scenario began"), "play_circle"),
    "session.ended": (_("The scenario ended"), "check_circle"),
    "session.failed": (_("The scenario failed"), "error"),
    "session.cancelled": (_("The scenario was cancelled"), "cancel"),
    "session.suspended": (_("The scenario was interrupted"), "pause_circle"),
    "session.resumed": (_("The scenario came back"), "play_circle"),
    "session.moved": (_("The dialogue went over to another version"), "move_up"),
    "session.not_moved": (_("The dialogue stayed on its version"), "pin"),
    "trigger.held": (_("The open question kept a keyword"), "front_hand"),
    "message.untaken": (_("Nothing took the message"), "question_mark"),
    "message.overtaken": (_("A newer message counts instead"), "fast_forward"),
    "command.done": (_("A global command"), "keyboard_command_key"),
    "schedule.started": (_("A schedule started a scenario"), "schedule"),
    "session.skipped": (_("The scenario was not started"), "skip_next"),
    "scenario.event": (_("The scenario told an event"), "campaign"),
    "record.created": (_("A record was made"), "playlist_add"),
    "record.updated": (_("A record changed"), "edit_note"),
    "record.deleted": (_("A record was deleted"), "playlist_remove"),
    "records.imported": (_("A file was loaded into a model"), "upload_file"),
    "records.import_stopped": (_("A file was not loaded into a model"), "cancel"),
    "webhook.disabled": (_("A subscription was disabled"), "outbox"),
    "webhook.test": (_("Test event"), "science"),
    "custom_action.published": (_("A custom action was published"), "rocket_launch"),
    "scenario.not_published": (_("A planned publication was refused"), "event_busy"),
    "scenario.published": (_("A scenario was published"), "rocket_launch"),
}

FAILED: dict[str, str | Promise] = {
    "endpoint.called": _("A call of a system failed"),
    "call.made": _("Our call to another system failed"),
    "call.answered": _("The other system did not answer by callback"),
}


def kind_title(kind: str, *, failed: bool = False) -> str | Promise:
    if failed and kind in FAILED:
        return FAILED[kind]
    return NAMES[kind][0] if kind in NAMES else kind.replace(".", ": ").replace("_", " ")


def kind_icon(kind: str) -> str:
    return NAMES[kind][1] if kind in NAMES else "circle"
