"""A timeline that several alert servers live through at once: what is posted to each at the same moment, and the
webhooks that each has sent, by when. One thread, one event loop, so that the times of all are taken by one clock."""

import asyncio
import datetime
import json
import time

ASK_SECONDS = 20
TICK_SECONDS = 0.02


class Delivery:
    """A webhook that came: to which hook, when on the timeline, what it said and whether it was taken."""

    def __init__(self, hook, at, body, taken):
        self.hook, self.at, self.body, self.taken = hook, at, body, taken


async def read_message(reader):
    """Head and body of an HTTP/1.1 message; None where the peer has closed."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head.split("\r\n")[1:])}
    if fields.get("transfer-encoding") == "chunked":
        return head, await read_chunks(reader)
    return head, await reader.readexactly(int(fields.get("content-length", "0")))


async def read_chunks(reader):
    body = b""
    while size := int(await reader.readuntil(b"\r\n"), 16):
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    return body


async def ask(port, method, path, body=None):
    """(status, text) of one request on a connection of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        text = b"" if body is None else json.dumps(body).encode()
        writer.write(f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
                     f"Content-Length: {len(text)}\r\nConnection: close\r\n\r\n".encode() + text)
        await writer.drain()
        answer = await asyncio.wait_for(read_message(reader), ASK_SECONDS)
        if answer is None:
            raise ConnectionError(f"no answer to {method} {path}")
        return int(answer[0].split(" ", 2)[1]), answer[1].decode()
    finally:
        writer.close()


class Hooks:
    """A server of webhooks, on a free port unless one is given. `behaviours` says of a hook how it answers: a function of the time and
    of how many came before, to (status, seconds until the answer)."""

    def __init__(self, timeline, behaviours, port=0):
        self.timeline, self.behaviours, self.port = timeline, behaviours, port
        self.deliveries = []
        self._connections = set()

    async def start(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _serve(self, reader, writer):
        self._connections.add(writer)
        try:
            while (message := await read_message(reader)) is not None:
                head, body = message
                await self._answer(head.split(" ", 2)[1].strip("/"), body, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the sender has given up, or the test is over
        finally:
            self._connections.discard(writer)
            writer.close()

    async def _answer(self, hook, body, writer):
        at = self.timeline.now()
        before = sum(one.hook == hook for one in self.deliveries)
        status, seconds = self.behaviours.get(hook, lambda _at, _before: (200, 0))(at, before)
        self.deliveries.append(Delivery(hook, at, json.loads(body), status == 200 and seconds == 0))
        if seconds:
            await asyncio.sleep(seconds)
        writer.write(f"HTTP/1.1 {status} Said\r\nContent-Length: 0\r\n\r\n".encode())
        await writer.drain()

    async def stop(self):
        self._server.close()
        for writer in list(self._connections):
            writer.transport.abort()


class Timeline:
    """Seconds from a start that lies a little ahead, so that all is ready when it comes."""

    def __init__(self):
        self.worst_lateness = 0.0
        self._start = time.monotonic()
        self._start_unix = time.time()

    def begin(self, ahead=0.5):
        self._start, self._start_unix = time.monotonic() + ahead, time.time() + ahead

    def now(self):
        return time.monotonic() - self._start

    def text(self, at):
        """A moment as an alert carries it, to the millisecond."""
        moment = datetime.datetime.fromtimestamp(round(self._start_unix + at, 3), datetime.timezone.utc)
        return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"

    def at(self, text):
        """The other way round, of what a server wrote."""
        if text.startswith("0001-01-01"):
            return None
        return datetime.datetime.fromisoformat(text).timestamp() - self._start_unix

    async def until(self, at):
        await asyncio.sleep(at - self.now())

    async def watch_lateness(self):
        """How late this very loop runs says whether the machine had time for anybody."""
        while True:
            before = time.monotonic()
            await asyncio.sleep(TICK_SECONDS)
            self.worst_lateness = max(self.worst_lateness, time.monotonic() - before - TICK_SECONDS)
