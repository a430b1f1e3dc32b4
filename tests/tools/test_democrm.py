"""The demo's CRM: its callbacks, its buttons, and who may press them."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from tools.democrm.app import make_app
from tools.democrm.book import Book
from tools.democrm.gateway import Gateway
from tools.ports import free_port

Client = TestClient[web.Request, web.Application]


class Bus:
    """Stands for Dialog Bus: notes what the CRM posts, answers as told."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any], dict[str, str]]] = []
        self.answer: tuple[int, dict[str, Any]] = (200, {"success": True, "message": "Communication sent", "trace_id": "t-1"})

    async def take(self, request: web.Request) -> web.Response:
        self.calls.append((request.path, await request.json(), dict(request.headers)))
        status, body = self.answer
        return web.json_response(body, status=status)


@pytest.fixture
async def bus() -> AsyncIterator[tuple[Bus, str]]:
    bus, app = Bus(), web.Application()
    app.router.add_post("/{path:.*}", bus.take)
    server = TestServer(app)
    await server.start_server()
    yield bus, str(server.make_url("")).rstrip("/")
    await server.close()


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return Book.open(tmp_path / "crm.json")


@pytest.fixture
async def crm(bus: tuple[Bus, str], book: Book) -> AsyncIterator[Client]:
    port = free_port()
    app = make_app(book, Gateway(base_url=bus[1], bot_id="1", token="dbt_x"), port=port)
    async with TestClient(TestServer(app, port=port)) as client:
        yield client


async def test_a_new_order_is_posted_and_its_answer_kept(crm: Client, bus: tuple[Bus, str], book: Book) -> None:
    answer = await crm.post("/crm/orders", json={"what": "Coffee grinder", "amount": 3500})
    assert await answer.json() == {"status": 200, "answer": bus[0].answer[1], "trace_id": "t-1"}
    path, body, headers = bus[0].calls[0]
    assert path == "/bots/1/call/order/thank-you"
    assert body == {"order_id": 9821, "user_id": 125, "amount": 3500, "status": "paid"}
    assert headers["Authorization"] == "Bearer dbt_x"
    assert headers["Idempotency-Key"] == "order-9821-new"
    assert [(entry.direction, entry.status, entry.trace_id) for entry in book.entries] == [("out", 200, "t-1")]


@pytest.mark.parametrize(
    ("act", "alias", "body"),
    [
        ("ship", "order/status", {"userId": 125, "order": {"id": 9821, "status": "shipped", "amount": 3500}}),
        ("deliver", "order/delivered", {"user_id": 125, "order_id": 9821}),
        ("thank", "order/review", {"user_id": 125, "order_id": 9821, "bonus": 150}),
    ],
)
async def test_the_buttons_of_an_order_call_their_endpoints(
    crm: Client, bus: tuple[Bus, str], book: Book, act: str, alias: str, body: dict[str, Any]
) -> None:
    book.new_order(125, what="Beans", amount=3500)
    assert (await crm.post(f"/crm/orders/9821/{act}")).status == 200
    assert bus[0].calls[0][:2] == (f"/bots/1/call/{alias}", body)


async def test_registering_asks_the_bot_to_greet(crm: Client, bus: tuple[Bus, str], book: Book) -> None:
    await crm.post("/crm/register")
    assert bus[0].calls[0][:2] == ("/bots/1/call/users/connect-bot", {"userId": 125, "name": "Anna"})
    assert book.customers[125].status == "new"


async def test_a_bus_that_is_away_is_shown_not_raised(bus: tuple[Bus, str], book: Book) -> None:
    gateway = Gateway(base_url=f"http://127.0.0.1:{free_port()}", bot_id="1", token="x")
    entry = await gateway.call(book, "order/thank-you", {}, key="k", note="New order")
    assert entry.status == 0
    assert "Is it running" in entry.answer["message"]


@pytest.mark.parametrize("query", ["phone=%2B12025550125", "phone=1 202 555-01-25", "email=ANNA@example.com"])
async def test_a_user_is_found_however_the_contact_is_written(crm: Client, query: str) -> None:
    answer = await crm.get(f"/user?{query}")
    assert answer.status == 200
    assert (await answer.json())["userId"] == 125


async def test_an_unknown_user_is_made_once(crm: Client, book: Book) -> None:
    assert (await crm.get("/user?phone=79187777777")).status == 404
    first = await crm.post("/user", json={"phone": "79187777777"})
    second = await crm.post("/user", json={"phone": "+7 918 777-77-77"})
    assert (first.status, second.status) == (201, 200)
    assert (await first.json())["userId"] == (await second.json())["userId"] == 126
    assert (await crm.post("/user", json={})).status == 400
    assert sorted(book.customers) == [125, 126]


async def test_the_bots_news_about_a_user_are_kept(crm: Client, book: Book) -> None:
    book.customers[125].status = "new"
    assert (await crm.post("/users/connect-bot", json={"userId": 125})).status == 200
    assert (await crm.post("/api/user/confirm", json={"userId": "125", "phone": "+12025550199"})).status == 200
    assert (await crm.post("/api/user/update", json={"userId": 125, "email": "new@example.com", "city": "Oslo"})).status == 200
    anna = book.customers[125]
    assert (anna.chat, anna.status, anna.phone, anna.email, anna.city) == (True, "active", "+12025550199", "new@example.com", "Oslo")
    assert (await crm.post("/api/user/confirm", json={"userId": 999})).status == 404
    assert (await (await crm.get("/users/125/profile")).json())["city"] == "Oslo"


async def test_orders_are_read_changed_and_rated(crm: Client, book: Book) -> None:
    book.new_order(125, what="Beans", amount=890)
    assert (await (await crm.get("/orders/9821")).json())["amount"] == 890
    await crm.post("/api/order/update", json={"user_id": 125, "order_id": 9821, "action": "confirm_payment"})
    await crm.post("/api/order/update", json={"order_id": "9821", "action": "change_address", "address": "Oslo, 1"})
    await crm.post("/api/feedback", json={"order_id": 9821, "rating": "5", "comment": "Good"})
    order = book.orders[9821]
    assert (order.status, order.address, order.rating, order.comment) == ("confirmed", "Oslo, 1", 5, "Good")
    order.status = "cancelled"
    assert (await crm.post("/api/order/update", json={"order_id": 9821, "action": "confirm_payment"})).status == 409
    assert (await crm.get("/orders/1")).status == 404


async def test_an_order_that_a_terminal_told_of_is_taken_in(crm: Client, book: Book) -> None:
    confirmed = {"user_id": 125, "order_id": 9990, "action": "confirm_payment"}
    assert (await crm.post("/api/order/update", json=confirmed)).status == 200
    assert (book.orders[9990].what, book.orders[9990].status) == ("Ordered elsewhere", "confirmed")
    for unknown in ({"order_id": 9991}, {"order_id": 9991, "user_id": 999}, {"order_id": 0, "user_id": 125}):
        assert (await crm.post("/api/order/update", json=unknown)).status == 404


async def test_a_repeated_key_has_one_effect_and_another_body_is_refused(crm: Client, book: Book) -> None:
    headers = {"Idempotency-Key": "s1-v5"}
    answers = [await crm.post("/user", json={"phone": "79187777777"}, headers=headers) for _ in range(2)]
    assert [answer.status for answer in answers] == [201, 201]
    assert (await crm.post("/user", json={"phone": "79187777770"}, headers=headers)).status == 409
    assert len(book.customers) == 2


async def test_every_callback_is_noted_with_its_trace(crm: Client, book: Book) -> None:
    await crm.post("/users/connect-bot", json={"userId": 125}, headers={"X-Trace-Id": "trace-12345678"})
    state = await (await crm.get("/crm/state")).json()
    entry = state["entries"][0]
    assert (entry["direction"], entry["path"], entry["trace_id"], entry["status"]) == ("in", "/users/connect-bot", "trace-12345678", 200)
    assert (await crm.get(f"/crm/state?version={state['version']}")).status == 204


async def test_the_page_can_make_callbacks_fail(crm: Client, book: Book) -> None:
    assert (await crm.post("/crm/trouble", json={"trouble": "error"})).status == 200
    assert (await crm.get("/user?email=anna@example.com")).status == 500
    assert (await crm.post("/crm/trouble", json={"trouble": "explode"})).status == 400
    await crm.post("/crm/trouble", json={"trouble": ""})
    assert (await crm.get("/user?email=anna@example.com")).status == 200


@pytest.mark.parametrize("amount", [0, -1, "3500", True, 10**9, None])
async def test_an_order_needs_a_sensible_amount(crm: Client, bus: tuple[Bus, str], amount: object) -> None:
    assert (await crm.post("/crm/orders", json={"amount": amount})).status == 400
    assert bus[0].calls == []


@pytest.mark.parametrize("headers", [{"Host": "crm.evil.test"}, {"Origin": "https://evil.test"}, {"Origin": "null"}])
async def test_other_sites_cannot_press_or_read(crm: Client, bus: tuple[Bus, str], headers: dict[str, str]) -> None:
    assert (await crm.post("/crm/orders", json={"amount": 3500}, headers=headers)).status == 403
    assert (await crm.get("/crm/curl", headers=headers)).status == 403
    assert bus[0].calls == []


async def test_only_dialog_bus_may_frame_the_page(crm: Client, bus: tuple[Bus, str]) -> None:
    answer = await crm.get("/")
    assert answer.status == 200
    assert f"frame-ancestors 'self' {bus[1]}" in answer.headers["Content-Security-Policy"]
    assert "dbt_x" not in await answer.text()


async def test_a_body_that_is_no_json_is_refused(crm: Client) -> None:
    assert (await crm.post("/user", data="{")).status == 400
    assert (await crm.post("/crm/orders", data="{")).status == 400


def test_the_book_survives_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "crm.json"
    book = Book.open(file)
    book.new_order(125, what="Beans", amount=890)
    book.note("out", method="POST", path="/x", body={}, status=200, answer={})
    again = Book.open(file)
    assert again.orders == book.orders
    assert again.entries == book.entries
    assert again.new_order(125, what="More", amount=1).id == 9822


async def test_a_slow_crm_answers_late(crm: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.democrm.callbacks.SLOW_SECONDS", 0.2)
    await crm.post("/crm/trouble", json={"trouble": "slow"})
    began = asyncio.get_running_loop().time()
    assert (await crm.get("/user?email=anna@example.com")).status == 200
    assert asyncio.get_running_loop().time() - began >= 0.2
