"""A client that costs little: prepared requests over kept connections, answers read to their end."""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Request:
    """What is sent; `status` is what must come back."""

    method: str
    path: str
    body: bytes = b""
    status: int = 200


class Failed(Exception):
    """An answer that was not the one expected; the message shows it."""


@dataclass
class Client:
    """Speaks to one server, with the same headers each time."""

    port: int
    headers: dict[str, str] = field(default_factory=dict)

    def connect(self) -> socket.socket:
        """A connection of its own."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def wire(self, request: Request) -> bytes:
        """A request as it is sent."""
        headers = {"Host": f"127.0.0.1:{self.port}", **self.headers}
        if request.body:
            headers.setdefault("Content-Type", "application/json")
        if request.method != "GET":
            headers["Content-Length"] = str(len(request.body))
        lines = [f"{request.method} {request.path} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, "", ""]).encode() + request.body

    def fetch(self, request: Request) -> tuple[bytes, bytes]:
        """The head and the body of one answer, over a connection of its own."""
        with self.connect() as connection:
            connection.sendall(self.wire(request))
            answer = Answer()
            while not answer.take(connection.recv(1 << 20)):
                pass
        answer.check(request)
        return answer.head, bytes(answer.received[len(answer.head) :])

    def times(self, requests: Iterator[Request], most: int, seconds: float) -> list[float]:
        """How long requests take, one after the other, in seconds: the first is not counted."""
        found, begin = [], time.perf_counter()
        with self.connect() as connection:
            while len(found) <= most and (len(found) < 3 or time.perf_counter() - begin < seconds):
                request = next(requests)
                wire, answer = self.wire(request), Answer()
                sent = time.perf_counter()
                connection.sendall(wire)
                while not answer.take(connection.recv(1 << 20)):
                    pass
                found.append(time.perf_counter() - sent)
                answer.check(request)
        return found[1:]

    def per_second(self, requests: Iterator[Request], connections: int, seconds: float) -> float:
        """How many requests are answered in a second, over several connections at once."""
        chooser, open_, done = selectors.DefaultSelector(), [], 0
        try:
            for _ in range(connections):
                connection = self.connect()
                open_.append(connection)
                chooser.register(connection, selectors.EVENT_READ)
            under_way = {}

            def send(connection: socket.socket) -> None:
                request = next(requests)
                under_way[connection] = (request, Answer())
                connection.sendall(self.wire(request))

            begin = time.perf_counter()
            for connection in open_:
                send(connection)
            while (passed := time.perf_counter() - begin) < seconds:
                for ready, _ in chooser.select(timeout=60):
                    request, answer = under_way[ready.fileobj]
                    if answer.take(ready.fileobj.recv(1 << 20)):
                        answer.check(request)
                        done += 1
                        send(ready.fileobj)
            # What is still under way is waited for, and not counted.
            for connection, (_, answer) in under_way.items():
                while not answer.take(connection.recv(1 << 20)):
                    pass
            return done / passed
        finally:
            chooser.close()
            for connection in open_:
                connection.close()


class Answer:
    """An answer that arrives in pieces."""

    def __init__(self) -> None:
        self.received, self.head, self.length = bytearray(), b"", -1

    def take(self, piece: bytes) -> bool:
        """Whether this piece was the last one."""
        if not piece:
            raise Failed(f"The server closed the connection after {bytes(self.received)[:500]!r}")
        self.received += piece
        if self.length < 0:
            end = self.received.find(b"\r\n\r\n")
            if end < 0:
                return False
            self.head = bytes(self.received[: end + 4])
            self.length = length_of(self.head) + len(self.head)
        return len(self.received) >= self.length

    def check(self, request: Request) -> None:
        """`Failed` where the status is another one."""
        if int(self.head[9:12]) != request.status:
            text = bytes(self.received[:1500]).decode(errors="replace")
            raise Failed(f"{request.method} {request.path} was answered with\n{text}")


def length_of(head: bytes) -> int:
    """The length of the body."""
    lower = head.lower()
    place = lower.find(b"\r\ncontent-length:")
    if place < 0:
        return 0
    return int(lower[place + 17 : lower.index(b"\r\n", place + 2)])


Prepare = Callable[[], Iterator[Request]]
