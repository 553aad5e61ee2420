"""The lint of authgent-server. It names what it finds; what it looks for is in its source."""

import json
import os
import re
import subprocess
from importlib.util import find_spec
from pathlib import Path

from judged import INSTALLED, IS_FIXTURE, mcp_server, report

# The two that are about the MCP server alone, and the one that only the judge's website tries.
OF_THE_MCP_SERVER = {"MCP-PRM-001", "MCP-PASSTHROUGH-001"}
NOT_IN_LINT = {"MCP-DCR-MIRROR-001"}

source = Path(find_spec("authgent_server").origin).with_name("scanner.py").read_text()
checks = set(re.findall(r'check_id="([A-Z0-9-]+)"', source)) - NOT_IN_LINT

command = [INSTALLED / "authgent-server", "lint", mcp_server(), "--format", "json"]
run = subprocess.run(command, env={**os.environ, "DO_NOT_TRACK": "1"}, stdout=subprocess.PIPE)
found = {finding["check_id"]: finding["severity"] for finding in json.loads(run.stdout)}
assert found.keys() <= checks, found.keys() - checks

if IS_FIXTURE:
    checks -= OF_THE_MCP_SERVER
report({check: found.get(check, "pass") for check in checks})
