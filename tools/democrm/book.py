"""What the CRM knows: customers, orders, and what was said between it and Dialog Bus."""

import json
import os
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

FIRST_ORDER = 9821
KEPT_ENTRIES = 60
ELSEWHERE = "Ordered elsewhere"
# What each action of the order endpoint makes of an order; an action that is not listed changes nothing and is only noted.
STATUS_AFTER = {"confirm_payment": "confirmed", "cancel": "cancelled", "confirm_delivery": "delivered"}
FINAL = frozenset({"cancelled"})


@dataclass
class Customer:
    """`status`: new until the profile is confirmed. `chat`: whether the bot told that it is connected."""

    id: int
    name: str
    phone: str = ""
    email: str = ""
    city: str = ""
    status: str = "active"
    chat: bool = False


@dataclass
class Order:
    id: int
    customer: int
    what: str
    amount: int
    status: str = "new"
    address: str = ""
    rating: int = 0
    comment: str = ""


@dataclass
class Entry:
    """One call, in either direction: `out` is ours to Dialog Bus, `in` a callback of it."""

    number: int
    direction: str
    at: float
    method: str
    path: str
    body: Any
    status: int
    answer: Any
    trace_id: str = ""
    note: str = ""
    milliseconds: int = 0


@dataclass
class Book:
    """Everything, kept in one JSON file. `version` changes with every change, so that pages know when to draw anew."""

    file: Path | None = None
    user_id: int = 125
    customers: dict[int, Customer] = field(default_factory=dict)
    orders: dict[int, Order] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    version: int = 0
    numbers: int = 0
    trouble: str = ""

    @classmethod
    def open(cls, file: Path | None, *, user_id: int = 125) -> "Book":
        """The book of an earlier run, or a new one with its first customer."""
        book = cls(file, user_id)
        if file and file.exists():
            book._load(json.loads(file.read_text(encoding="utf-8")))
        book.customers.setdefault(user_id, Customer(user_id, "Anna", phone="+12025550125", email="anna@example.com", city="Riga"))
        return book

    def new_order(self, customer: int, *, what: str, amount: int) -> Order:
        order = Order(max([FIRST_ORDER - 1, *self.orders]) + 1, customer, what, amount)
        self.orders[order.id] = order
        self.changed()
        return order

    def order_of(self, number: int, customer: int) -> Order | None:
        """An order by its number; one that was not made here (a call from a terminal told of it) is taken in when its customer is known."""
        if number and number not in self.orders and customer in self.customers:
            self.orders[number] = Order(number, customer, ELSEWHERE, 0)
            self.changed()
        return self.orders.get(number)

    def new_customer(self, *, name: str = "", phone: str = "", email: str = "", status: str = "new") -> Customer:
        customer = Customer(max([self.user_id, *self.customers]) + 1, name, phone=phone, email=email, status=status)
        self.customers[customer.id] = customer
        self.changed()
        return customer

    def find_customer(self, *, phone: str = "", email: str = "") -> Customer | None:
        """By phone, whatever spaces and signs it is written with, or by e-mail."""
        wanted = digits(phone)
        for customer in self.customers.values():
            if (wanted and digits(customer.phone) == wanted) or (email and customer.email.lower() == email.strip().lower()):
                return customer
        return None

    def note(self, direction: str, **about: Any) -> Entry:
        self.numbers += 1
        entry = Entry(number=self.numbers, direction=direction, at=time.time(), **about)
        self.entries = [*self.entries[1 - KEPT_ENTRIES :], entry]
        self.changed()
        return entry

    def changed(self) -> None:
        self.version += 1
        if self.file:
            self._save(self.file)

    def as_json(self) -> dict[str, Any]:
        return {
            "version": self.version,
            "user_id": self.user_id,
            "trouble": self.trouble,
            "customers": [asdict(row) for row in self.customers.values()],
            "orders": [asdict(row) for row in sorted(self.orders.values(), key=lambda row: -row.id)],
            "entries": [asdict(row) for row in reversed(self.entries)],
        }

    def _load(self, data: dict[str, Any]) -> None:
        self.customers = {row["id"]: Customer(**row) for row in data["customers"]}
        self.orders = {row["id"]: Order(**row) for row in data["orders"]}
        self.entries = [Entry(**row) for row in reversed(data["entries"])]
        self.version, self.numbers = data["version"], max((row.number for row in self.entries), default=0)

    def _save(self, file: Path) -> None:
        draft = file.with_name(f"{file.name}.{os.getpid()}")
        draft.write_text(json.dumps(self.as_json(), ensure_ascii=False), encoding="utf-8")
        draft.replace(file)


def digits(text: str) -> str:
    return "".join(char for char in str(text) if char.isdigit())
