"""How many clients the live page has at once, and who goes when there are too many."""

from __future__ import annotations

import ipaddress
import resource
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

import psutil

_MOST, _FEWEST, _MOST_STREAMS = 512, 8, 64
_RESERVE = 32  # descriptors that the source and the other outputs may still want


class Client(Protocol):
    """A connection, as the crowd sees it.

    Attributes:
        group: whose it is; see :func:`group_of`.
        is_stream: whether what it is answered has no end.
        blocked_since_s: since when it takes nothing of what is sent; None while it does.
    """

    group: str
    is_stream: bool
    blocked_since_s: float | None

    @property
    def is_busy(self) -> bool:
        """Whether a request of its is being answered."""

    def cut_off(self) -> None:
        """End it at once."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Of connections at once.

    Attributes:
        all: in all.
        group: of one address.
        streams: endless answers in all.
        group_streams: endless answers to one address.
    """

    all: int
    group: int
    streams: int
    group_streams: int

    @classmethod
    def of(cls, connections: int) -> Limits:
        """Three quarters of the connections for one address, a quarter at most for streams."""
        streams = min(_MOST_STREAMS, connections // 4)
        return cls(connections, connections * 3 // 4, streams, max(1, streams // 2))

    @classmethod
    def of_process(cls) -> Limits:
        """What the process's limit of open files leaves, 512 connections at most."""
        most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        if most == resource.RLIM_INFINITY:
            return cls.of(_MOST)
        free = most - psutil.Process().num_fds() - _RESERVE
        return cls.of(max(_FEWEST, min(_MOST, free)))


class Crowd:
    """The connections that there are.

    A new one is always let in: where there is no room, the one goes that has waited longest
    without asking anything, else one that takes nothing of its stream. So whoever holds
    connections open keeps nobody out, and whoever asks at once has an answer.

    Args:
        limits: how many.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        # Of each address, who has waited longest comes first.
        self._groups: dict[str, dict[Client, None]] = defaultdict(dict)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, client: Client) -> None:
        """Take a connection in; another one may have to go."""
        group = self._groups[client.group]
        if len(group) >= self._limits.group:
            self._shed(group)
        elif self._count >= self._limits.all:
            self.shed()
        self._groups[client.group][client] = None  # the group may have gone with its last one
        self._count += 1

    def remove(self, client: Client) -> None:
        """Forget a connection."""
        group = self._groups.get(client.group, {})
        if client in group:
            del group[client]
            self._count -= 1
        if not group:
            self._groups.pop(client.group, None)

    def renew(self, client: Client) -> None:
        """Count a connection's wait from now on."""
        group = self._groups[client.group]
        if client in group:
            del group[client]
            group[client] = None

    @property
    def turnover(self) -> int:
        """How many may come at once without that one goes which has just come."""
        return max(1, self._limits.group // 4)

    def cut_all(self) -> None:
        """Cut everybody off."""
        for client in [client for group in self._groups.values() for client in group]:
            self._cut(client)

    def shed(self) -> bool:
        """Cut off one connection of the address that has most; whether there is one to spare."""
        return any(
            self._shed(group) for group in sorted(self._groups.values(), key=len, reverse=True)
        )

    def seat(self, client: Client) -> bool:
        """Let a connection have an endless answer; whether there is room for one more."""
        of_group = self._streams([self._groups.get(client.group, {})])
        everyone = self._streams(self._groups.values())
        if len(of_group) >= self._limits.group_streams:
            has_room = self._cut_longest_blocked(of_group)
        elif len(everyone) >= self._limits.streams:
            has_room = self._cut_longest_blocked(everyone)
        else:
            has_room = True
        client.is_stream = has_room
        return has_room

    @staticmethod
    def _streams(groups: Iterable[Iterable[Client]]) -> list[Client]:
        return [client for group in groups for client in group if client.is_stream]

    def _shed(self, group: Iterable[Client]) -> bool:
        waiting = (client for client in group if not client.is_busy)
        served = (client for client in group if not client.is_stream)
        for client in (*islice(waiting, 1), *islice(served, 1)):
            self._cut(client)
            return True
        return self._cut_longest_blocked(group)

    def _cut_longest_blocked(self, clients: Iterable[Client]) -> bool:
        blocked = [(c.blocked_since_s, id(c), c) for c in clients if c.blocked_since_s is not None]
        if not blocked:
            return False
        self._cut(min(blocked)[2])
        return True

    def _cut(self, client: Client) -> None:
        self.remove(client)
        client.cut_off()


def group_of(host: str) -> str:
    """Whose an address is: itself, or in IPv6 the network of 64 bits that one customer gets."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv4Address):
        return host
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, 64), strict=False))
