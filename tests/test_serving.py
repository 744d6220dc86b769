"""The server that the browser tests and the pictures use."""

from __future__ import annotations

import select
import socket
import struct
import threading
from urllib.parse import urlsplit

from tools.serving import serving


def test_an_answer_that_is_broken_off_is_closed():
    """Else its file stays open, and fails whichever test runs when it is collected."""
    gone, closed = threading.Event(), threading.Event()

    class Answer:
        def __init__(self, socket):
            self.socket = socket

        def __iter__(self):
            yield b"all of it"
            gone.wait(10)
            # Until the system knows, too.
            poll = select.poll()
            poll.register(self.socket, select.POLLHUP)
            poll.poll(10_000)

        def close(self):
            closed.set()

    def app(environ, start_response):
        start_response("200 OK", [("Content-Length", "9")])
        return Answer(environ["werkzeug.socket"])

    with serving(app) as address:
        parts = urlsplit(address)
        browser = socket.create_connection((parts.hostname, parts.port))
        browser.sendall(b"GET / HTTP/1.1\r\nHost: lab\r\n\r\n")
        assert browser.recv(1024)
        # Closed at once, as by a browser that goes to another page.
        browser.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        browser.close()
        gone.set()
        assert closed.wait(10)
