"""What tests with real programs share."""

from __future__ import annotations

from collections.abc import Iterator

import browserlab
import pytest


@pytest.fixture(scope="module")
def browser() -> Iterator[browserlab.Browser]:
    with browserlab.chromium() as found:
        yield found
