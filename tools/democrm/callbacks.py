"""What Dialog Bus's scenarios call: users, orders, feedback. Every call is noted, so that the page can show it."""

import asyncio
import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from aiohttp import web

from tools.democrm.book import FINAL, STATUS_AFTER, Book, Customer, Order

BOOK = web.AppKey("book", Book)
KEPT = web.AppKey("kept", dict[str, tuple[str, int, Any]])
SLOW_SECONDS = 20
routes = web.RouteTableDef()
Answer = tuple[int, Any]
Handler = Callable[[Book, web.Request, dict[str, Any]], Answer]


def endpoint(method: str, path: str) -> Callable[[Handler], Handler]:
    """Registers a callback: reads the JSON body, honours Idempotency-Key, plays the trouble that the page asked for, notes the call."""

    def register(handler: Handler) -> Handler:
        async def answered(request: web.Request) -> web.Response:
            book = request.app[BOOK]
            body = await _body(request)
            status, answer = await _trouble(book) or _once(request, body, lambda: handler(book, request, body))
            book.note(
                "in", method=request.method, path=request.path_qs, body=body, status=status, answer=answer,
                trace_id=request.headers.get("X-Trace-Id", ""),
            )  # fmt: skip
            return web.json_response(answer, status=status)

        routes.route(method, path)(answered)
        return handler

    return register


@endpoint("GET", "/user")
def find_user(book: Book, request: web.Request, body: dict[str, Any]) -> Answer:
    """By `phone` or `email`, in the query or (as the source shows it) in the body."""
    asked = {**body, **request.query}
    customer = book.find_customer(phone=str(asked.get("phone", "")), email=str(asked.get("email", "")))
    return (200, shown(customer)) if customer else (404, {"message": "No such user"})


@endpoint("POST", "/user")
def create_user(book: Book, _request: web.Request, body: dict[str, Any]) -> Answer:
    phone, email = str(body.get("phone", "")), str(body.get("email", ""))
    if not phone and not email:
        return 400, {"message": "phone or email is required"}
    known = book.find_customer(phone=phone, email=email)
    if known:
        return 200, shown(known)
    return 201, shown(book.new_customer(name=str(body.get("name", "")), phone=phone, email=email, status="active"))


@endpoint("POST", "/users/connect-bot")
def connect_bot(book: Book, _request: web.Request, body: dict[str, Any]) -> Answer:
    return _change(book, body, chat=True)


@endpoint("POST", "/api/user/confirm")
def confirm_user(book: Book, _request: web.Request, body: dict[str, Any]) -> Answer:
    return _change(book, body, status="active", chat=True, **_texts(body, "phone"))


@endpoint("POST", "/api/user/update")
def update_user(book: Book, _request: web.Request, body: dict[str, Any]) -> Answer:
    return _change(book, body, **_texts(body, "name", "phone", "email", "city"))


@endpoint("GET", "/users/{id}/profile")
def profile(book: Book, request: web.Request, _body: dict[str, Any]) -> Answer:
    customer = book.customers.get(_number(request.match_info["id"]))
    return (200, shown(customer)) if customer else (404, {"message": "No such user"})


@endpoint("GET", "/orders/{id}")
@endpoint("GET", "/orders/{id}/details")
def order(book: Book, request: web.Request, _body: dict[str, Any]) -> Answer:
    found = book.orders.get(_number(request.match_info["id"]))
    return (200, shown_order(found)) if found else (404, {"message": "No such order"})


@endpoint("POST", "/api/order/update")
def update_order(book: Book, _request: web.Request, body: dict[str, Any]) -> Answer:
    """`action` as the scenario names it (confirm_payment, change_address, …) or a `status` outright."""
    found = _order(book, body)
    if found is None:
        return 404, {"message": "No such order"}
    if found.status in FINAL:
        return 409, {"message": f"The order is {found.status}"}
    found.status = str(body.get("status") or STATUS_AFTER.get(str(body.get("action")), found.status))
    found.address = str(body.get("address") or found.address)
    book.changed()
    return 200, {"success": True, **shown_order(found)}


@endpoint("POST", "/api/feedback")
def feedback(book: Book, _request: web.Request, body: dict[str, Any]) -> Answer:
    found = _order(book, body)
    if found is None:
        return 404, {"message": "No such order"}
    found.rating = _number(body.get("rating")) or found.rating
    found.comment = str(body.get("comment") or body.get("review") or found.comment)
    book.changed()
    return 201, {"success": True}


def shown(customer: Customer) -> dict[str, Any]:
    """A user with the source's name of the id."""
    row = asdict(customer)
    return {"userId": row.pop("id"), **row}


def shown_order(found: Order) -> dict[str, Any]:
    return {**asdict(found), "userId": found.customer}


def _order(book: Book, body: dict[str, Any]) -> Order | None:
    return book.order_of(_number(body.get("order_id", body.get("orderId"))), _number(body.get("user_id", body.get("userId"))))


def _change(book: Book, body: dict[str, Any], **changes: Any) -> Answer:
    customer = book.customers.get(_number(body.get("userId", body.get("user_id"))))
    if customer is None:
        return 404, {"message": "No such user"}
    for name, value in changes.items():
        setattr(customer, name, value)
    book.changed()
    return 200, {"success": True, **shown(customer)}


def _texts(body: dict[str, Any], *names: str) -> dict[str, str]:
    return {name: str(body[name]) for name in names if body.get(name)}


def _number(value: Any) -> int:
    text = str(value).strip()
    return int(text) if text.isdecimal() else 0


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        data = json.loads(await request.text() or "{}")
    except ValueError as error:
        raise web.HTTPBadRequest(text=json.dumps({"message": "The body is not JSON"}), content_type="application/json") from error
    return data if isinstance(data, dict) else {}


async def _trouble(book: Book) -> Answer | None:
    """The page can make the CRM fail, to see what the dialogue does then."""
    if book.trouble == "error":
        return 500, {"message": "The CRM has a bad day (the demo page asked for it)"}
    if book.trouble == "slow":
        await asyncio.sleep(SLOW_SECONDS)
    return None


def _once(request: web.Request, body: dict[str, Any], work: Callable[[], Answer]) -> Answer:
    """The same Idempotency-Key and body get the same answer and have one effect; the same key with another body is refused."""
    key = request.headers.get("Idempotency-Key", "")
    if not key:
        return work()
    kept = request.app[KEPT]
    digest = hashlib.sha256(json.dumps([request.method, request.path, body], sort_keys=True).encode()).hexdigest()
    if key in kept:
        before, status, answer = kept[key]
        return (status, answer) if before == digest else (409, {"message": "This Idempotency-Key was used with another request"})
    status, answer = work()
    kept[key] = (digest, status, answer)
    return status, answer
