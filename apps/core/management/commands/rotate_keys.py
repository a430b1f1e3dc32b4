"""Re-encrypts every encrypted field with the current key."""

from itertools import chain
from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandParser

from apps.core.crypto import keyring
from apps.core.fields import encrypted_fields
from apps.core.rotating import further, rotate


class Command(BaseCommand):
    help = (
        "Re-encrypts all secrets and personal data with the first key of FIELD_KEYS. Safe to stop, to repeat and to run beside the service."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--batch", type=int, default=500, help="Rows in one transaction (500).")

    def handle(self, *_args: Any, **options: Any) -> None:
        total = unreadable = 0
        known = (model for model in apps.get_models() if model._meta.managed)
        for model in chain(known, *(give() for give in further)):
            for field in encrypted_fields(model):
                changed, failed = rotate(model, field.name, batch=options["batch"], progress=self._progress)
                total += changed
                unreadable += failed
        self.stdout.write(f"{total} values now use key “{keyring().current}”.")
        if unreadable:
            self.stderr.write(f"{unreadable} values could not be read: add the key that they were encrypted with to FIELD_KEYS and repeat.")
            raise SystemExit(1)

    def _progress(self, name: str, done: int, todo: int) -> None:
        self.stdout.write(f"{name}: {done} of {todo}")
