"""The clerk: makes bots, scenarios, people and tokens as the product makes them, and acts as an operator does.

A process of its own (`python -m faults.clerk`), one JSON command a line in, one JSON answer a line out; so the matrix itself needs no Django.
"""

import json
import os
import sys
from typing import Any

import django

Json = dict[str, Any]


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from django.db import close_old_connections  # noqa: PLC0415  Django is ready only now

    from faults import clerking  # noqa: PLC0415  models can be imported only now

    for line in sys.stdin:
        close_old_connections()
        command: Json = json.loads(line)
        try:
            answer: Json = {"answer": getattr(clerking, command.pop("do"))(**command)}
        except Exception as error:  # noqa: BLE001  told to whoever asked
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
