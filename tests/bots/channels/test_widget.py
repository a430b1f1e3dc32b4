from apps.bots.adapter import Credentials, Sent
from apps.bots.content import Content
from apps.bots.registry import adapters

widget = adapters["widget"]
CREDENTIALS = Credentials(channel_id=5, config={}, secrets={})


async def test_a_message_is_known_by_the_id_that_the_page_shows() -> None:
    assert await widget.send(CREDENTIALS, "w_81", Content(text="Hi", context={"message_id": 77})) == Sent(external_ids=("m_77",))


async def test_without_a_stored_message_the_id_is_new() -> None:
    first, second = [await widget.send(CREDENTIALS, "w_81", Content(text="Hi")) for _ in range(2)]

    assert first.external_ids != second.external_ids


def test_nothing_leaves_the_house() -> None:
    assert not widget.outside


def test_a_visitors_message_is_its_own_in_each_chat() -> None:
    payload = {"type": "text", "client_message_id": "c-1", "text": "Hi"}
    keys = {widget.parse(payload | {"chat_id": chat_id})[0].event_key for chat_id in ("w_1", "w_2")}

    assert len(keys) == 2


def test_a_typed_phone_is_a_claim() -> None:
    payload = {"chat_id": "w_1", "type": "contact", "client_message_id": "c-1", "phone": "+380501112233", "own": True}

    assert widget.parse(payload)[0].contact == {"phone": "+380501112233", "name": "", "own": False}


def test_a_visitor_cannot_report_that_sending_failed() -> None:
    assert widget.parse({"chat_id": "w_1", "type": "receipt", "message_id": "m_1", "status": "failed"})[0].kind == "unknown"
