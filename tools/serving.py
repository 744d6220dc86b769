"""The program served to a browser from a thread of this process: for its tests and its pictures."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from werkzeug.serving import WSGIRequestHandler, make_server

ANSWER = "brainstem.answer"


class Handler(WSGIRequestHandler):
    """Serves without a line for each request, and in the HTTP of real servers."""

    protocol_version = "HTTP/1.1"

    def log_request(self, *_: Any) -> None:
        pass

    def connection_dropped(
        self, error: BaseException, environ: WSGIEnvironment | None = None
    ) -> None:
        """Close the answer that the browser broke off; Werkzeug 3.1 leaves it, with its file, open."""
        close = getattr((environ or {}).get(ANSWER), "close", None)
        if close:
            close()


@contextmanager
def serving(app: WSGIApplication) -> Iterator[str]:
    """Serve it on a free port of this machine; its address."""

    def answered(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ[ANSWER] = answer = app(environ, start_response)
        return answer

    server = make_server("127.0.0.1", 0, answered, threaded=True, request_handler=Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
