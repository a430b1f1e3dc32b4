"""A CRM on loopback that keeps an append-only ledger, honours `Idempotency-Key`, and misbehaves as told.

As a process: `python -m tools.emulators.crm --port 8090 --ledger crm.ndjson`. In a test: `async with running() as crm`.
"""

from tools.emulators.crm.client import Control
from tools.emulators.crm.server import Crm, running

__all__ = ["Control", "Crm", "running"]
