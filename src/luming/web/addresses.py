"""Who asks: the address of a visitor, also behind a reverse proxy.

The limits of the public site and of the first run, the lock after wrong passwords and the audit trail all count by it.
"""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def visitor(request: HttpRequest) -> str:
    """Return the address of who asks; only the proxies of ``LUMING_PROXIES`` may name someone else.

    Each proxy appends whom it speaks for to ``X-Forwarded-For``, so the header is read from its end; what stands before
    the first address that is no proxy of ours may be invented.
    """
    address = request.META.get("REMOTE_ADDR", "")
    named = request.headers.get("X-Forwarded-For", "").split(",")
    while named and _is_proxy(address):
        try:
            address = str(ipaddress.ip_address(named.pop().strip()))
        except ValueError:
            break
    return address


def _is_proxy(address: str) -> bool:
    try:
        known = ipaddress.ip_address(address)
    except ValueError:  # a socket has no address
        return False
    return any(known in network for network in settings.PROXIES)
