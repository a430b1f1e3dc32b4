"""PostgreSQL and Redis for the demo and the tests: those that the environment names, otherwise the embedded ones."""

import os
from dataclasses import dataclass
from pathlib import Path

from tools import postgres, valkey
from tools.processes import Process
from tools.supervisor import Supervisor

DATABASE = "dialogbus"
STAGE = 9  # stopped last


@dataclass(frozen=True)
class Servers:
    """Starts what the environment does not name. `data`: where their files lie; `mark`: by which a left-over is known."""

    data: Path
    logs: Path
    mark: str
    password: str
    durable: bool = True

    def start(self, supervisor: Supervisor) -> dict[str, str]:
        """`DATABASE_URL` and `REDIS_URL` of servers that answer."""
        return {
            "DATABASE_URL": os.environ.get("DATABASE_URL") or self._postgres(supervisor),
            "REDIS_URL": os.environ.get("REDIS_URL") or self._valkey(supervisor),
        }

    def _postgres(self, supervisor: Supervisor) -> str:
        process = Process(postgres.program(self.data, durable=self.durable), self.logs / "postgres.log")
        supervisor.start(process, stage=STAGE)
        postgres.await_database(process, self.data, DATABASE)
        return postgres.url(self.data, DATABASE)

    def _valkey(self, supervisor: Supervisor) -> str:
        log = self.logs / "valkey.log"
        process, address = valkey.start(self.data, password=self.password, mark=self.mark, log=log, durable=self.durable)
        supervisor.adopt(process, stage=STAGE)
        return address
