"""The shop that most tests of the gateway call."""

import pytest

from tests.gateway.making import Shop, make_shop


@pytest.fixture
def shop(db: None) -> Shop:
    return make_shop()
