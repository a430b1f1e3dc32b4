"""One Celery task per event."""

from typing import Any

from celery import shared_task

from bench.baselines.shop import work


@shared_task
def order(data: dict[str, Any]) -> None:
    work.order(data)


@shared_task
def answer(chat_id: int, text: str) -> None:
    work.answer(chat_id, text)
