"""`python -m tools.democrm --port 8002 --base-url http://127.0.0.1:8000 --bot-id 1 --token dbt_…`. Listens on this machine only."""

import argparse
import os
from pathlib import Path

from aiohttp import web

from tools.democrm.app import make_app
from tools.democrm.book import Book
from tools.democrm.gateway import Gateway
from tools.places import RUN


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.democrm", description="The demo's CRM.")
    parser.add_argument("--port", type=int, default=8002)
    parser.add_argument("--base-url", default="http://127.0.0.1:8000", help="address of Dialog Bus")
    parser.add_argument("--bot-id", required=True)
    parser.add_argument("--token", default=os.environ.get("DEMOCRM_TOKEN", ""), help="key for the bot's endpoints (or DEMOCRM_TOKEN)")
    parser.add_argument("--user-id", type=int, default=125, help="the customer who chats on the demo page")
    parser.add_argument("--state", type=Path, default=RUN / "crm.json", help="file in which customers and orders are kept")
    chosen = parser.parse_args()
    book = Book.open(chosen.state, user_id=chosen.user_id)
    gateway = Gateway(base_url=chosen.base_url.rstrip("/"), bot_id=chosen.bot_id, token=chosen.token)
    web.run_app(
        make_app(book, gateway, port=chosen.port), host="127.0.0.1", port=chosen.port, print=None, access_log=None, shutdown_timeout=2
    )


if __name__ == "__main__":
    main()
