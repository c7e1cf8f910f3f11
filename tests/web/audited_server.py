"""The page, its sockets watched: `python audited_server.py web ...`.

What is asked of any other machine is written into the file AUDIT_LOG, a line each.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

LOG = Path(os.environ["AUDIT_LOG"])  # what it starts is the same script
LOOPBACK = ("127.", "::1", "localhost", "0.0.0.0", "/")
# event -> which of its arguments is the address
PLACES = {
    "socket.connect": 1,
    "socket.sendto": 1,
    "socket.getaddrinfo": 0,
    "socket.gethostbyname": 0,
}


def watch(event: str, args: tuple) -> None:
    if event not in PLACES:
        return
    address = args[PLACES[event]]
    host = address[0] if isinstance(address, tuple) else address
    host = host.decode() if isinstance(host, bytes) else host
    if host and not str(host).startswith(LOOPBACK):
        with LOG.open("a") as log:
            log.write(f"{event} {host}\n")


if __name__ == "__main__":
    sys.addaudithook(watch)
    sys.path.insert(0, str(Path(__file__).parents[2]))
    from consingan.cli import main

    main()
