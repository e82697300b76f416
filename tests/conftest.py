"""What holds for all tests."""

import signal


def pytest_configure() -> None:
    """Signals as a person's terminal has them.

    A runner started in the background or by nohup has SIGINT or SIGHUP ignored, and all that it starts inherits
    that: a test that presses Ctrl-C would wait for ever.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
