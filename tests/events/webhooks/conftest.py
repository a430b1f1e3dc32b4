from collections.abc import Iterator

import pytest

from tests.events.webhooks.receiving import Receiver, receiving


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as known:
        yield known
