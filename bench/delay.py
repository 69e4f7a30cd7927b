"""A network with a delay, for one process: TCP proxies, and an HTTP proxy that sends clients through them.

`DelayedCloud` is a proxy of a vast.ai API that replaces, in every answer, the ssh ports of instances by ports of its
own. Data through those ports arrives half a round trip later, in either direction; the order is kept and nothing is
throttled.
"""

import http.server
import queue
import re
import socket
import threading
import time
import urllib.error
import urllib.request


class DelayedPort:
    """Listens on a free loopback port and forwards to `target`, each way `one_way` seconds late."""

    def __init__(self, target, one_way):
        self.target, self.one_way = target, one_way
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            near, _ = self.listener.accept()
            far = socket.create_connection(("127.0.0.1", self.target))
            for source, sink in ((near, far), (far, near)):
                for each in (source, sink):
                    each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                pending = queue.SimpleQueue()
                threading.Thread(target=self._take, args=(source, pending), daemon=True).start()
                threading.Thread(target=self._give, args=(sink, pending), daemon=True).start()

    def _take(self, source, pending):
        while True:
            try:
                data = source.recv(65536)
            except OSError:
                data = b""
            pending.put((time.perf_counter() + self.one_way, data))
            if not data:
                return

    @staticmethod
    def _give(sink, pending):
        while True:
            due, data = pending.get()
            wait = due - time.perf_counter()
            if wait > 0:
                time.sleep(wait)
            try:
                if not data:
                    sink.shutdown(socket.SHUT_WR)
                    return
                sink.sendall(data)
            except OSError:
                return


class DelayedCloud:
    """The API at `url`, with every instance `round_trip` seconds away. The API itself answers at once."""

    def __init__(self, url, round_trip):
        self.upstream, self.ports = url, {}
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                length = int(self.headers.get("Content-Length") or 0)
                request = urllib.request.Request(
                    outer.upstream + self.path, method=self.command,
                    data=self.rfile.read(length) if length else None,
                    headers={n: v for n, v in self.headers.items() if n.lower() not in ("host", "connection")})
                try:
                    with urllib.request.urlopen(request) as response:
                        status, headers, body = response.status, response.headers, response.read()
                except urllib.error.HTTPError as error:
                    status, headers, body = error.code, error.headers, error.read()
                body = re.sub(
                    rb'("HostPort"\s*:\s*"|"ssh_port"\s*:\s*)(\d+)',
                    lambda match: match[1] + str(outer.port(int(match[2]), round_trip)).encode(), body)
                self.send_response(status)
                self.send_header("Content-Type", headers.get("Content-Type", "application/json"))
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = do_DELETE = answer

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def port(self, real, round_trip):
        if real not in self.ports:
            self.ports[real] = DelayedPort(real, round_trip / 2)
        return self.ports[real].port
