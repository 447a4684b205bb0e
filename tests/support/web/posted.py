"""An HTTP server that keeps what is posted to it."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


class Posted:
    """Answers each POST with 200."""

    def __init__(self) -> None:
        bodies: list[str] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                bodies.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._bodies = bodies
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/events"
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}).start()

    def bodies(self) -> list[str]:
        """What was posted so far."""
        return list(self._bodies)

    def close(self) -> None:
        """End the server."""
        self._server.shutdown()
        self._server.server_close()
