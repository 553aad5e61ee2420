"""For the clients that go to `examples/mcp-server`: its tool, and the browser with somebody who steals the code."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

SERVER = sys.argv[1]
ENDPOINT = f"{SERVER}/mcp"

log, THEFTS = tempfile.mkstemp()
os.close(log)
BROWSER = [sys.executable, str(Path(__file__).parent.parent / "browser.py"), "--thief", THEFTS]


def sign_in(url):
    """The user approves. The callback, which nobody requests."""
    run = subprocess.run([*BROWSER, "--print", url], stdout=subprocess.PIPE, check=True, text=True)
    return run.stdout.strip()


def assert_thefts_failed(sign_ins):
    """At each sign-in somebody has tried the code without the verifier, and with another one."""
    with open(THEFTS) as thefts:
        assert thefts.read().splitlines() == ["400 invalid_grant"] * 2 * sign_ins
    os.unlink(THEFTS)
