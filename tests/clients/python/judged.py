"""What the judges are pointed at: `SERVER`, one of the fixtures or `examples/mcp-server`.

The judges want to see an MCP server. The example is one. A fixture is an authorization server alone, so an MCP server that is
as small as possible runs beside it: what is said of that one is no verdict about the fixture, and is left out.
"""

import json
import sys
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

SERVER = sys.argv[1]
BROWSER = [sys.executable, str(Path(__file__).parent.parent / "browser.py")]
INSTALLED = Path(sys.executable).parent

with urllib.request.urlopen(f"{SERVER}/.well-known/oauth-authorization-server", timeout=10) as metadata:
    # The example registers clients.
    IS_FIXTURE = "registration_endpoint" not in json.load(metadata)


class Beside(BaseHTTPRequestHandler):
    """The MCP server beside a fixture: it names its authorization server, and believes whom that one believes."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def respond(self, status, body, headers={}):
        body = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"content-type": "application/json", "content-length": len(body), **headers}.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(body)

    def origin(self):
        return f"http://127.0.0.1:{self.server.server_port}"

    def do_GET(self):
        if self.path.startswith("/.well-known/oauth-protected-resource"):
            self.respond(200, {"resource": f"{self.origin()}/mcp", "authorization_servers": [SERVER]})
        else:
            self.respond(404, {})

    def do_POST(self):
        self.rfile.read(int(self.headers.get("content-length", 0)))
        authorization = self.headers.get("authorization", "")
        request = urllib.request.Request(f"{SERVER}/me", headers={"authorization": authorization})
        try:
            urllib.request.urlopen(request, timeout=10).close()
        except urllib.error.HTTPError:
            where = f"{self.origin()}/.well-known/oauth-protected-resource/mcp"
            self.respond(401, {}, {"www-authenticate": f'Bearer resource_metadata="{where}"'})
        else:
            self.respond(200, {"jsonrpc": "2.0", "id": 1, "result": {"serverInfo": {"name": "beside"}}})


def mcp_server():
    """The origin of the MCP server, whose endpoint is `/mcp`."""
    if not IS_FIXTURE:
        return SERVER
    beside = ThreadingHTTPServer(("127.0.0.1", 0), Beside)
    threading.Thread(target=beside.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{beside.server_port}"


def report(results):
    """A line for each check, and "ok" last: what the test reads."""
    for check, result in sorted(results.items()):
        print(f"{check} {result}")
    print("ok")
