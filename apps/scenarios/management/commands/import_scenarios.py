"""`manage.py import_scenarios export.json --bot 1`: bring flows of another system in as drafts, with a report of every node."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.bots.models import Bot
from apps.scenarios import fixtures_io, importing
from apps.scenarios.botfile import BotFileError
from apps.scenarios.importer import ForeignFileError
from apps.scenarios.importing import Converted

MARKS = {"exact": "=", "approximated": "~", "unsupported": "!"}


class Command(BaseCommand):
    help = "Read a file of RapidPro, Glific or Typebot and make drafts of its flows; says of every node what became of it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--bot", type=int, help="Id of the bot that gets the drafts; may be left out when there is only one.")
        parser.add_argument("--format", default="", choices=["", *importing.importers], help="The file's format; recognised when left out.")
        parser.add_argument("--dry-run", action="store_true", help="Only say what would become of the file.")

    def handle(self, *_args: Any, **options: Any) -> None:
        bot = self._bot(options["bot"])
        try:
            converted = importing.convert(importing.read(options["file"]), bot=bot, kind=options["format"])
            self._tell(converted, verbose=options["verbosity"] > 0)
            report = fixtures_io.import_bot(converted.file, bot=bot, publish=False, check_only=options["dry_run"])
        except (ForeignFileError, BotFileError) as error:
            raise CommandError(str(error)) from error
        done = "would be made" if options["dry_run"] else "made"
        self.stdout.write(f"{report.count('created')} parts {done} in “{bot.name}”: {', '.join(key for _what, key, _how in report.rows)}")

    def _bot(self, wanted: int | None) -> Bot:
        found = list(Bot.objects.filter(pk=wanted) if wanted else Bot.objects.all()[:2])
        if not found:
            raise CommandError(f"There is no bot {wanted}." if wanted else "There is no bot yet. Make one in the admin first.")
        if len(found) > 1:
            raise CommandError("There are several bots. Say which one gets the drafts: --bot ID.")
        return found[0]

    def _tell(self, converted: Converted, *, verbose: bool) -> None:
        imported = converted.imported
        for line in imported.lines if verbose else ():
            message = f": {line.message}" if line.message else ""
            self.stdout.write(f"{MARKS[line.verdict]} {line.place or line.scenario}  {line.what}{message}")
        counts = ", ".join(f"{imported.count(verdict)} {verdict}" for verdict in ("exact", "approximated", "unsupported"))
        self.stdout.write(f"{converted.importer.label}: {len(imported.scenarios)} scenarios; {counts}")
        for key, problems in converted.problems.items():
            for problem in problems:
                if problem.level == "error":
                    self.stdout.write(f"  {key}: before it can be published: {problem.message}")
