"""`manage.py load_demo`: what the demo page needs, made once and kept."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.bots.adapter import SendError
from apps.gateway import demo_data
from apps.scenarios.botfile import BotFileError


class Command(BaseCommand):
    help = "Load the demo: a shop's bot, a web chat, the customer Anna and a key for the demo CRM. Loading it again keeps changes."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--base-url", required=True, help="Where this installation is reached; told back.")
        parser.add_argument("--crm-url", required=True, help="Where the demo CRM is reached.")
        parser.add_argument("--admin-user", required=True)
        parser.add_argument("--admin-password", required=True)
        parser.add_argument("--token-file", type=Path, help="Keeps the CRM's key; one that still works is used again.")
        parser.add_argument("--anew", action="store_true", help="Bring the demo's scenarios back to their first state.")
        parser.add_argument("--json", action="store_true", help="Say it for a program only (one line of JSON).")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            demo = demo_data.load(
                crm_url=options["crm_url"].rstrip("/"),
                admin=(options["admin_user"], options["admin_password"]),
                token_file=options["token_file"],
                anew=options["anew"],
            )
        except BotFileError as error:
            raise CommandError("\n".join(["The demo's bot cannot be loaded.", *error.problems])) from error
        except SendError as error:
            raise CommandError(f"The demo's web chat cannot be connected: {error.reason}") from error
        base_url = options["base_url"].rstrip("/")
        if not options["json"]:
            self.stdout.write(f"Demo page: {base_url}/demo/")
        told = {
            "bot_id": demo.bot_id,
            "token": demo.token,
            "user_id": demo.user_id,
            "channel_id": demo.channel_id,
            "demo_url": f"{base_url}/demo/",
        }
        self.stdout.write(json.dumps(told))
