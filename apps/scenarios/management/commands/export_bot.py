"""`manage.py export_bot 1 > shop.json`: a bot's scenarios, endpoints, fields, constants and settings, without secrets."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.bots.models import Bot
from apps.scenarios import botfile, fixtures_io


class Command(BaseCommand):
    help = "Write a bot's configuration as a readable file that import_bot takes."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("bot", type=int, help="The bot's id.")
        parser.add_argument("--out", type=Path, help="The file to write; standard output when absent.")
        parser.add_argument("--about", default="", help="A sentence about what this is.")

    def handle(self, *_args: Any, **options: Any) -> None:
        bot = Bot.objects.filter(pk=options["bot"]).first()
        if bot is None:
            raise CommandError(f"There is no bot {options['bot']}.")
        text = botfile.dump(fixtures_io.export_bot(bot, about=options["about"]))
        if options["out"] is None:
            self.stdout.write(text, ending="")
        else:
            options["out"].write_text(text, encoding="utf-8")
