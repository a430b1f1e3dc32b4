"""Makes the baseline's tables and fills them: `python -m bench.baselines.shop.seeding <people>`; prints the token."""

import hashlib
import secrets
import sys

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from bench.baselines.shop.models import ApiToken  # noqa: E402
from bench.requests import FIRST_CHAT  # noqa: E402


def seed(people: int) -> str:
    call_command("migrate", run_syncdb=True, verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO shop_customer (external_id, chat_id) SELECT n::text, %s + n FROM generate_series(0, %s) AS n",
            [FIRST_CHAT, people - 1],
        )
    clear = secrets.token_urlsafe(32)
    ApiToken.objects.create(digest=hashlib.sha256(clear.encode()).hexdigest())
    return clear


if __name__ == "__main__":
    print(seed(int(sys.argv[1])))
