"""sendMessage over one kept connection per thread: the cheapest way that the standard library has."""

import http.client
import json
import threading
from urllib.parse import urlsplit

from django.conf import settings

_local = threading.local()


def send(bot: str, chat_id: int, text: str) -> None:
    """Send now, and wait for the messenger's answer."""
    connection = getattr(_local, "connection", None)
    if connection is None:
        connection = _local.connection = http.client.HTTPConnection(urlsplit(settings.TELEGRAM_API_URL).netloc, timeout=15)
    body = json.dumps({"chat_id": chat_id, "text": text})
    connection.request("POST", f"/bot{settings.TOKENS[bot]}/sendMessage", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    answer.read()
    if answer.status != http.client.OK:
        raise RuntimeError(f"The messenger answered {answer.status}.")
