"""The announcement is found by a browser that is not ours, and goes when it is taken back."""

from __future__ import annotations

import threading

import pytest

zeroconf = pytest.importorskip("zeroconf", reason="the announce extra is not installed")

from bridge.osc.announce import TYPES, announced  # noqa: E402


@pytest.mark.parametrize("kind", TYPES)
def test_it_is_found_and_taken_back(kind: str) -> None:
    come, gone = threading.Event(), threading.Event()

    class Listener(zeroconf.ServiceListener):
        def add_service(self, browser, found: str, name: str) -> None:
            info = browser.get_service_info(found, name)
            if info is not None and info.port == 9444 and "127.0.0.1" in info.parsed_addresses():
                come.set()

        def remove_service(self, browser, found: str, name: str) -> None:
            gone.set()

        def update_service(self, browser, found: str, name: str) -> None: ...

    browser = zeroconf.Zeroconf(interfaces=["127.0.0.1"])
    try:
        zeroconf.ServiceBrowser(browser, kind, Listener())
        with announced("CueBridge", "127.0.0.1", 9444):
            assert come.wait(15.0)
        assert gone.wait(15.0)
    finally:
        browser.close()
