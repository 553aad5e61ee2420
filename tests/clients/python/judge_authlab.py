"""mcp-authlab: signs in as a client, tries what a client should not, and scans the MCP server."""

import json
import os
import shlex
import subprocess
import tempfile
from pathlib import Path

from judged import BROWSER, INSTALLED, IS_FIXTURE, mcp_server, report

endpoint = f"{mcp_server()}/mcp"

with tempfile.TemporaryDirectory() as folder:
    tokens = Path(folder, "tokens.json")
    environment = {**os.environ, "MCP_AUTHLAB_TOKENS": tokens, "BROWSER": f"{shlex.join(BROWSER)} %s"}

    def judge(*arguments):
        run = subprocess.run([INSTALLED / "mcp-authlab", *arguments], env=environment, stdout=subprocess.PIPE, check=True)
        return run.stdout

    def login(*options):
        """Signs in twice, for a token and for one of another resource, unless it is told which. The checks of the flow."""
        judge("login", endpoint, "--timeout", "30", *options)
        [entry] = json.loads(tokens.read_text()).values()
        return {check["id"]: check for check in entry["asf"]}

    if IS_FIXTURE:
        login("--client-id", "spa")
    else:
        # It issues no code for another resource, and one check needs a second code.
        redirect_uri = login("--foreign-resource", endpoint)["ASF-03"]
        assert login()["ASF-03"]["status"] == "skip"
    results = json.loads(judge("scan", endpoint, "--format", "json"))["results"]
    if not IS_FIXTURE:
        results = [redirect_uri if result["id"] == "ASF-03" else result for result in results]

# ASM: the metadata of the authorization server, ASF: its flow.
report({
    result["id"]: result["status"] for result in results if result["id"].startswith("AS") or not IS_FIXTURE
})
