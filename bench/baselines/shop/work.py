"""What has to be done for an event: find the customer, branch, keep one row, send."""

from typing import Any

from bench.baselines.shop.models import Customer, Event
from bench.baselines.shop.telegram import send


def order(data: dict[str, Any]) -> None:
    """B1."""
    customer = Customer.objects.get(external_id=str(data["userId"]))
    Event.objects.create(customer=customer, kind="order", data=data)
    how = "packed by hand" if data["amount"] > 1000 else "on its way"  # noqa: PLR2004  the branch
    send("orders", customer.chat_id, f"Thank you, {data['customer']}! Order #{data['order']} over {data['amount']} is {how}.")


def answer(chat_id: int, text: str) -> None:
    """B2."""
    customer = Customer.objects.get(chat_id=chat_id)
    Event.objects.create(customer=customer, kind="answer", data={"answer": text})
    send("survey", chat_id, f"Noted: #{text}. And the next one?")
