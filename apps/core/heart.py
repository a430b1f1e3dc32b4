"""Signs of life of processes, for `/health/` and the page of heartbeats. Plain SQL: beat has no models."""

import json
import os
import socket
from typing import Any

from django.db import connection

_BEAT = """
    INSERT INTO core_heartbeat (name, instance, at, details) VALUES (%s, %s, clock_timestamp(), %s)
    ON CONFLICT (name, instance) DO UPDATE SET at = excluded.at, details = excluded.details
"""


def beat_heart(name: str, *, instance: str = "", details: dict[str, Any] | None = None) -> None:
    """A sign of life of this process under `name` (worker, sender, beat, poller …), by the database's clock; call it every few seconds."""
    instance = instance or f"{socket.gethostname()}:{os.getpid()}"
    with connection.cursor() as cursor:
        cursor.execute(_BEAT, [name, instance[:100], json.dumps(details or {})])
