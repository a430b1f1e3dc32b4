"""Runs the saved tests of scenarios on their drafts; ends with 1 when one fails, so that a pipeline stops."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.scenarios.models import Scenario
from apps.scenarios.simulation import testing


class Command(BaseCommand):
    help = "Runs the saved tests of scenarios on their drafts. No message is sent and no system is called."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--bot", type=int, help="Only scenarios of the bot with this number.")
        parser.add_argument("--scenario", default="", help="Only the scenario with this key.")

    def handle(self, *_args: Any, **options: Any) -> None:
        scenarios = Scenario.objects.select_related("bot").order_by("bot_id", "key")
        scenarios = scenarios.filter(bot_id=options["bot"]) if options["bot"] is not None else scenarios
        scenarios = scenarios.filter(key=options["scenario"]) if options["scenario"] else scenarios
        if not scenarios.exists():
            raise CommandError("There is no such scenario. Look at its bot's number and its key in the admin.")
        failed = sum(self._run(scenario) for scenario in scenarios)
        if failed:
            self.stderr.write(f"{failed} failed.")
            raise SystemExit(1)

    def _run(self, scenario: Scenario) -> int:
        """How many tests of this scenario fail."""
        report = testing.run_all(scenario)
        testing.note(report)
        if report.results:
            coverage = report.coverage
            shares = f"blocks {coverage.node_percent} %, exits {coverage.exit_percent} %"
            self.stdout.write(f"{scenario.bot.name} / {scenario.key}: {len(report.results)} tests, {shares}")
        for result in report.results:
            self.stdout.write(f"  {'ok  ' if result.passed else 'FAIL'} {result.test.name}")
            for failure in result.failures:
                self.stdout.write(f"       turn {failure.turn}: {failure.message}" if failure.turn else f"       {failure.message}")
        return len(report.failed)
