"""Announces the OSC port and the OSCQuery server by mDNS, so that controller programs list them.

Service types: `_osc._udp` (what OSC programs look for) and `_oscjson._tcp` (OSCQuery proposal, "Zeroconf").
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from typing import Final

from engine.music import UserError
from engine.music.extras import need_extra

TYPES: Final = ("_osc._udp.local.", "_oscjson._tcp.local.")
_EVERYWHERE: Final = ("0.0.0.0", "::")


@contextlib.contextmanager
def announced(name: str, host: str, port: int) -> Iterator[None]:
    """While it is open.  host: the address that listens; where it is every one, the machine's are announced.

    Raises UserError.
    """
    need_extra("announce", "Announcing OSC by mDNS")
    from zeroconf import Error, InterfaceChoice, ServiceInfo, Zeroconf

    try:
        zeroconf = Zeroconf(interfaces=InterfaceChoice.All if host in _EVERYWHERE else [host])
    except (OSError, Error) as error:
        raise UserError(f"OSC cannot be announced on {host}: {error}.") from None
    addresses = _own_addresses() if host in _EVERYWHERE else [host]
    machine = socket.gethostname().split(".")[0] or "cuebridge"
    infos = [
        ServiceInfo(
            kind, f"{name} {port}.{kind}", port=port, parsed_addresses=addresses, server=f"{machine}-cuebridge.local."
        )
        for kind in TYPES
    ]
    try:
        for info in infos:
            zeroconf.register_service(info, allow_name_change=True)
        yield
    except Error as error:
        raise UserError(f"OSC cannot be announced: {error}.") from None
    finally:
        zeroconf.close()  # takes the announcements back


def _own_addresses() -> list[str]:
    """This machine's addresses for others."""
    import ifaddr

    found = [str(ip.ip) for adapter in ifaddr.get_adapters() for ip in adapter.ips if ip.is_IPv4]
    return [each for each in found if not each.startswith("127.")] or ["127.0.0.1"]
