"""A process of the product that runs code for the tests: started once, because a start costs more than most of the code."""

import contextlib
import io
import json
import sys
import traceback

import django

django.setup()

from django.db import close_old_connections  # noqa: E402  after the setup

for line in sys.stdin:
    close_old_connections()
    said = io.StringIO()
    error = ""
    with contextlib.redirect_stdout(said):
        try:
            exec(json.loads(line), {})  # noqa: S102  code of our own tests
        except Exception:  # noqa: BLE001  told to the test, which fails
            error = traceback.format_exc()
    print(json.dumps({"said": said.getvalue(), "error": error}), flush=True)  # noqa: T201  the answer
