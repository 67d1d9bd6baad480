"""Relays between two ports of this machine, for a forward whose host is this machine itself (type local)."""

import contextlib
from typing import Any

from trainsh_base.request import Request
from trainsh_host.forward.model import Port

CHUNK = 1 << 16


def relay(ports: list[Port], request: Request) -> None:
    """Relay connections to these ports until the request is cancelled."""
    import asyncio

    asyncio.run(_serve(ports, request))
    request.check()


async def _serve(ports: list[Port], request: Request) -> None:
    import asyncio

    async with contextlib.AsyncExitStack() as stack:
        for port in ports:
            await stack.enter_async_context(await _listen(port))
        while not request.cancelled.is_set():
            await asyncio.sleep(0.2)


async def _listen(port: Port) -> Any:
    import asyncio

    async def connected(reader: Any, writer: Any) -> None:
        with contextlib.suppress(OSError):
            far_reader, far_writer = await asyncio.open_connection(port.host, port.remote)
            await asyncio.gather(_pass(reader, far_writer), _pass(far_reader, writer))
        writer.close()

    return await asyncio.start_server(connected, port.bind, port.local)


async def _pass(reader: Any, writer: Any) -> None:
    """Copy data from `reader` to `writer` until `reader` ends. Then signal the end on `writer`."""
    with contextlib.suppress(OSError):
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
