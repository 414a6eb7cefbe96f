"""Which processes of a server hold its connections, as the kernel tells."""

import os
from pathlib import Path

ESTABLISHED = "01"


def family(pid: int) -> set[int]:
    """A process and all that it started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return {pid}.union(*(family(int(child)) for child in children))


def holders(pid: int, port: int) -> set[int]:
    """The processes of this family that accepted a connection to `port` which is open now."""
    sockets = _accepted(port)
    return {member for member in family(pid) if sockets & _open_sockets(member)}


def _accepted(port: int) -> set[str]:
    """The sockets of established connections whose local end is `port`."""
    found = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[1].endswith(f":{port:04X}") and fields[3] == ESTABLISHED and fields[9] != "0":
            found.add(f"socket:[{fields[9]}]")
    return found


def _open_sockets(pid: int) -> set[str]:
    found = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found.add(os.readlink(entry))
        except FileNotFoundError:  # closed meanwhile
            continue
    return found
