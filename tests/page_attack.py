"""A crowd of hostile clients, which come again whenever they are cut off.

>>> python tests/page_attack.py PORT IDLE SLOW_HEADERS SLOW_READERS SECONDS
"""

from __future__ import annotations

import asyncio
import resource
import sys
from collections.abc import Awaitable, Callable

Client = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def idle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Says nothing."""
    await reader.read(1)


async def slow_headers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A byte of a request each second."""
    writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(1)


async def slow_reader(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Takes a byte of the picture stream each second."""
    writer.write(b"GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
    while await reader.read(1):
        await asyncio.sleep(1)


async def again_and_again(port: int, client: Client, counts: list[int]) -> None:
    while True:
        try:
            # Small, so that what the server has sent waits with the server.
            reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
            counts[0] += 1
            try:
                await client(reader, writer)
            finally:
                writer.close()
        except OSError:
            pass
        await asyncio.sleep(1)


async def attack(port: int, counts: list[tuple[Client, int]], seconds: float) -> int:
    connections = [0]
    clients = [
        asyncio.create_task(again_and_again(port, client, connections))
        for client, count in counts
        for _ in range(count)
    ]
    await asyncio.sleep(seconds)
    for each in clients:
        each.cancel()
    await asyncio.gather(*clients, return_exceptions=True)
    return connections[0]


def main() -> None:
    port, *counts = (int(argument) for argument in sys.argv[1:5])
    most = sum(counts) + 100  # files
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, hard), hard))
    kinds = zip((idle, slow_headers, slow_reader), counts, strict=True)
    opened = asyncio.run(attack(port, list(kinds), float(sys.argv[5])))
    sys.stdout.write(f"{opened}\n")


if __name__ == "__main__":
    main()
