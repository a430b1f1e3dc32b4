"""Finding a command in what was said, and doing it within the turn."""

from collections.abc import Callable

from apps.bots.content import Content
from apps.conversations.responder import Turn
from apps.core.cached import CachedTable
from apps.identity import attributes
from apps.scenarios import arriving, definitions
from apps.scenarios.commands.models import Command
from apps.scenarios.engine.contract import Back, Resumed
from apps.scenarios.ledger import Ledger
from apps.scenarios.matching import speaks
from apps.scenarios.models import Session
from apps.scenarios.running import move, read_again
from apps.scenarios.triggers import Heard

Found = dict[int, dict[str, list[Command]]]


def _load() -> Found:
    found: Found = {}
    for command in Command.objects.filter(is_active=True).order_by("id"):
        for word in command.listed:
            found.setdefault(command.bot_id, {}).setdefault(word, []).append(command)
    return found


_table: CachedTable[Found] = CachedTable(lambda: Command, _load)


def find(bot_id: int, words: Heard) -> Command | None:
    """The command that this message is, as a whole; one for the person's language goes before one for everybody."""
    known = _table.get().get(bot_id)
    meant = [row for row in known.get(words.said, ()) if speaks(words.language, row.speaks)] if known else []
    return min(meant, key=lambda row: not row.speaks, default=None)


def forget() -> None:
    _table.forget()


def do(turn: Turn, ledger: Ledger, command: Command, *, said: str) -> None:
    turn.record("command.done", details={"command": command.kind, "word": said})
    DOING[Command.Kind(command.kind)](turn, ledger, command, said)


def _stop(turn: Turn, ledger: Ledger, command: Command, _said: str) -> None:
    """Everything open in this chat is over, also what was interrupted or waits its turn."""
    for session in list(ledger.open.get(turn.chat.conversation.pk, [])):
        arriving.cancel(turn, ledger, session, reason="stopped by the person")
    _say(turn, command)


def _back(turn: Turn, ledger: Ledger, command: Command, _said: str) -> None:
    session = ledger.active(turn.chat.conversation.pk)
    if session is None or not move(turn, session, Back(), ledger).handled:
        _say(turn, command)
        return
    arriving.moved(turn, ledger, session)


def _language(turn: Turn, ledger: Ledger, command: Command, _said: str) -> None:
    """Kept with the person; the open question is asked again in the new language."""
    attributes.set_values(turn.chat.person, {"language": command.language}, source="client")
    read_again(turn, ledger)
    _say(turn, command)
    session = ledger.active(turn.chat.conversation.pk)
    if session is not None:
        _ask_again(turn, ledger, session)


def _ask_again(turn: Turn, ledger: Ledger, session: Session) -> None:
    if move(turn, session, Resumed(), ledger).handled:
        arriving.moved(turn, ledger, session)


def _start(turn: Turn, ledger: Ledger, command: Command, said: str) -> None:
    _say(turn, command)
    arriving.start(
        turn,
        ledger,
        scenario=definitions.startable(command.scenario_id or 0),
        reason=f"command “{said}”",
        entered={"entry": None, "params": {}, "user_input": said},
    )


DOING: dict[str, Callable[[Turn, Ledger, Command, str], None]] = {
    Command.Kind.STOP: _stop,
    Command.Kind.BACK: _back,
    Command.Kind.LANGUAGE: _language,
    Command.Kind.START: _start,
}


def _say(turn: Turn, command: Command) -> None:
    if command.text:
        turn.say(Content(text=command.text))
