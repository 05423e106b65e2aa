#!/usr/bin/env python3
"""For developers. A cable that can be cut: a TCP proxy on this host, for the moving picture.

usage: cable.py PORT TARGET    reads "cut" and "heal" from stdin, a line each, until stdin ends
"""

import asyncio
import contextlib
import sys

whole = True
writers: set[asyncio.StreamWriter] = set()


async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One direction of one connection."""
    writers.add(writer)
    with contextlib.suppress(OSError, asyncio.CancelledError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.transport.abort()
    writers.discard(writer)


async def main(port: int, target: int) -> None:
    """Until stdin ends."""
    global whole

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if not whole:
                raise ConnectionError
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", target)
        except OSError:
            writer.transport.abort()
            return
        await asyncio.gather(carry(reader, far_writer), carry(far_reader, writer))

    async with await asyncio.start_server(accept, "127.0.0.1", port):
        print("ready", flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            whole = line.strip() == "heal"
            for writer in set(writers) if not whole else ():
                writer.transport.abort()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
