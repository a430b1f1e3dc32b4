"""The CRM's web application: its page, what the page's buttons do, and the callbacks."""

import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from tools.democrm import callbacks
from tools.democrm.book import Book, Customer, Entry, Order
from tools.democrm.gateway import Gateway

PAGE = Path(__file__).parent / "page"
GATEWAY = web.AppKey("gateway", Gateway)
PORT = web.AppKey("port", int)
TROUBLES = ("", "error", "slow")
AMOUNT_LIMIT = 10_000_000
BONUS = 150
routes = web.RouteTableDef()


def make_app(book: Book, gateway: Gateway, *, port: int) -> web.Application:
    app = web.Application(middlewares=[_guard], client_max_size=64 * 1024)
    app[callbacks.BOOK], app[callbacks.KEPT], app[GATEWAY], app[PORT] = book, {}, gateway, port
    app.add_routes(routes)
    app.add_routes(callbacks.routes)
    app.router.add_static("/page/", PAGE)
    return app


@web.middleware
async def _guard(request: web.Request, handler: Any) -> web.StreamResponse:
    """Only this machine's own names and, for what a browser sends, only the CRM's own page: no other site may press the buttons."""
    own = {f"{host}:{request.app[PORT]}" for host in ("127.0.0.1", "localhost")}
    origin = request.headers.get("Origin")
    if request.host not in own or (origin and urlsplit(origin).netloc not in own):
        raise web.HTTPForbidden(text="This CRM answers its own page and Dialog Bus only.")
    response: web.StreamResponse = await handler(request)
    base = request.app[GATEWAY].base_url
    also = base.replace("127.0.0.1", "localhost")
    response.headers["Content-Security-Policy"] = (
        f"default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self' {base} {also}"
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers.setdefault("Cache-Control", "no-store")
    return response


@routes.get("/")
async def page(_request: web.Request) -> web.FileResponse:
    return web.FileResponse(PAGE / "crm.html")


@routes.get("/health")
async def health(_request: web.Request) -> web.Response:
    return web.json_response({"ok": True})


@routes.get("/crm/state")
async def state(request: web.Request) -> web.Response:
    """Everything that the page shows; 204 when nothing has changed since `?version=`."""
    book, gateway = request.app[callbacks.BOOK], request.app[GATEWAY]
    if request.query.get("version") == str(book.version):
        return web.Response(status=204)
    return web.json_response({**book.as_json(), "base_url": gateway.base_url, "bot_id": gateway.bot_id})


@routes.post("/crm/orders")
async def new_order(request: web.Request) -> web.Response:
    """A customer has ordered: `{"what", "amount"}`."""
    data = await _json(request)
    amount = data.get("amount")
    if not isinstance(amount, int) or isinstance(amount, bool) or not 0 < amount <= AMOUNT_LIMIT:
        raise web.HTTPBadRequest(text="amount must be a whole number above 0")
    book = request.app[callbacks.BOOK]
    order = book.new_order(book.user_id, what=str(data.get("what") or "Order")[:100], amount=amount)
    body = {"order_id": order.id, "user_id": order.customer, "amount": order.amount, "status": "paid"}
    return await _told(request, "order/thank-you", body, key=f"order-{order.id}-new", note=f"New order {order.id}")


@routes.post("/crm/orders/{id}/ship")
async def ship(request: web.Request) -> web.Response:
    order = _order(request)
    order.status = "shipped"
    body = {"userId": order.customer, "order": {"id": order.id, "status": order.status, "amount": order.amount}}
    return await _told(request, "order/status", body, key=_key(order, "shipped"), note=f"Order {order.id} shipped")


@routes.post("/crm/orders/{id}/deliver")
async def deliver(request: web.Request) -> web.Response:
    order = _order(request)
    order.status = "delivered"
    body = {"user_id": order.customer, "order_id": order.id}
    return await _told(request, "order/delivered", body, key=_key(order, "delivered"), note=f"Order {order.id} delivered")


@routes.post("/crm/orders/{id}/thank")
async def thank(request: web.Request) -> web.Response:
    """A bonus for the review."""
    order = _order(request)
    body = {"user_id": order.customer, "order_id": order.id, "bonus": BONUS}
    return await _told(request, "order/review", body, key=_key(order, "thanked"), note=f"Bonus for the review of order {order.id}")


@routes.post("/crm/register")
async def register(request: web.Request) -> web.Response:
    """The customer has filled in a form on the website: the bot greets and has the phone confirmed."""
    customer = _customer(request)
    customer.status = "new"
    body = {"userId": customer.id, "name": customer.name}
    return await _told(request, "users/connect-bot", body, key=f"user-{customer.id}-{time.time_ns()}", note=f"{customer.name} registered")


@routes.post("/crm/trouble")
async def trouble(request: web.Request) -> web.Response:
    """How callbacks are answered from now on: normally, with an error, or late."""
    wanted = (await _json(request)).get("trouble")
    if wanted not in TROUBLES:
        raise web.HTTPBadRequest(text=f"trouble must be one of {TROUBLES}")
    book = request.app[callbacks.BOOK]
    book.trouble = wanted
    book.changed()
    return web.json_response({"ok": True})


@routes.get("/crm/curl")
async def curl(request: web.Request) -> web.Response:
    """The same call for a terminal. It holds the demo's key, so only this page can read it."""
    book = request.app[callbacks.BOOK]
    body = f'{{"order_id": 9999, "user_id": {book.user_id}, "amount": 3500, "status": "paid"}}'
    return web.json_response({"curl": request.app[GATEWAY].curl(body)})


async def _told(request: web.Request, alias: str, body: dict[str, Any], *, key: str, note: str) -> web.Response:
    entry: Entry = await request.app[GATEWAY].call(request.app[callbacks.BOOK], alias, body, key=key, note=note)
    return web.json_response({"status": entry.status, "answer": entry.answer, "trace_id": entry.trace_id})


async def _json(request: web.Request) -> dict[str, Any]:
    try:
        data = await request.json()
    except ValueError as error:
        raise web.HTTPBadRequest(text="The body is not JSON") from error
    return data if isinstance(data, dict) else {}


def _order(request: web.Request) -> Order:
    text = request.match_info["id"]
    order = request.app[callbacks.BOOK].orders.get(int(text)) if text.isdecimal() else None
    if order is None:
        raise web.HTTPNotFound(text="No such order")
    return order


def _customer(request: web.Request) -> Customer:
    book = request.app[callbacks.BOOK]
    return book.customers[book.user_id]


def _key(order: Order, what: str) -> str:
    return f"order-{order.id}-{what}-{time.time_ns()}"
