"""`manage.py import_bot fixtures/ecommerce/bot.json`: bring a bot's file in; again and again if need be."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.bots.models import Bot
from apps.scenarios import botfile, fixtures_io
from apps.scenarios.botfile import BotFileError


class Command(BaseCommand):
    help = "Read a bot's file: make or change its scenarios, endpoints, fields, constants and settings, and publish."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--bot", type=int, help="Id of the bot to import into; else the bot of the file's name, made when there is none."
        )
        parser.add_argument("--no-publish", action="store_true", help="Leave the scenarios as drafts.")
        parser.add_argument("--check", action="store_true", help="Only say what would happen.")
        parser.add_argument("--note", default="", help="Note of the published versions.")

    def handle(self, *_args: Any, **options: Any) -> None:
        bot = Bot.objects.filter(pk=options["bot"]).first() if options["bot"] else None
        if options["bot"] and bot is None:
            raise CommandError(f"There is no bot {options['bot']}.")
        try:
            file = botfile.read(options["file"])
            report = fixtures_io.import_bot(
                file, bot=bot, note=options["note"], publish=not options["no_publish"], check_only=options["check"]
            )
        except BotFileError as error:
            raise CommandError("\n".join(["Nothing was imported.", *error.problems])) from error
        for label, key, outcome in report.rows:
            self.stdout.write(f"{outcome:8} {label} {key}")
        for scenario, need in report.missing:
            self.stdout.write(f"missing  {need.kind} {need.key} (named by {scenario})")
        self.stdout.write(f"published {', '.join(report.published) or 'nothing'}")
        if report.to_enter:
            self.stdout.write(f"enter the values of these instance settings in the admin: {', '.join(report.to_enter)}")
