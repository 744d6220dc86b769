"""How gunicorn serves the floors: as the program, less what that says at its start."""

from brainstem.serve import (  # noqa: F401
    accesslog,
    bind,
    control_socket_disable,
    graceful_timeout,
    keepalive,
    loglevel,
    preload_app,
    threads,
    timeout,
    url,
    worker_class,
    workers,
)


def when_ready(server) -> None:
    """Say where the server is, as the program does."""
    print(
        "The floors are at", url("127.0.0.1", server.LISTENERS[0].sock.getsockname()[1]), flush=True
    )
