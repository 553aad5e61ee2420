"""The client of the MCP SDK for Python: discovery, registration, PKCE, a call of a tool, and a refresh."""

import asyncio
import json
from urllib.parse import parse_qs, urlsplit

import httpx2
from mcp import ClientSession
from mcp.client.auth import OAuthClientProvider, OAuthFlowError
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientMetadata

from mcp_server import ENDPOINT, SERVER, assert_thefts_failed, sign_in

REDIRECT_URI = "http://127.0.0.1:8765/callback"


class Kept:
    """What an application lends to the SDK. It is registered with nobody yet."""

    def __init__(self):
        self.tokens = self.client = self.url = self.callback = None
        self.tampered = {}

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client):
        self.client = client

    async def redirect(self, url):
        self.url = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        self.callback = {name: values[0] for name, values in parse_qs(urlsplit(sign_in(url)).query).items()}

    async def result(self):
        callback = {**self.callback, **self.tampered}
        return AuthorizationCodeResult(code=callback["code"], state=callback["state"], iss=callback.get("iss"))


async def greet(kept, requests, expire=False):
    """Calls the tool. The provider is the SDK's part of the application."""
    metadata = OAuthClientMetadata(
        client_name="tests", redirect_uris=[REDIRECT_URI], token_endpoint_auth_method="none"
    )
    provider = OAuthClientProvider(ENDPOINT, metadata, kept, kept.redirect, kept.result)

    async def record(request):
        requests.append((request.method, request.url.path, request.content.decode()))

    async with httpx2.AsyncClient(auth=provider, event_hooks={"request": [record]}) as http:
        async with streamable_http_client(ENDPOINT, http_client=http) as (read, write, *_):
            async with ClientSession(read, write) as session:
                await session.initialize()
                if expire:
                    provider.context.token_expiry_time = 1
                result = await session.call_tool("greet", {"name": "alice"})
                assert result.content[0].text == "hello, alice", result


async def main():
    kept, requests = Kept(), []
    await greet(kept, requests, expire=True)
    # It registers itself. Its verifier is as long as may be; the token request names the resource.
    [registered] = [body for method, path, body in requests if path.endswith("/register")]
    assert json.loads(registered)["redirect_uris"] == [REDIRECT_URI]
    first, second = [parse_qs(body) for method, path, body in requests if path.endswith("/token")]
    assert len(first["code_verifier"][0]) == 128 and first["resource"] == [ENDPOINT], first
    assert kept.url["code_challenge_method"] == "S256" and kept.url["resource"] == ENDPOINT, kept.url
    # Once it thinks that the token is old it refreshes it by itself.
    assert second["grant_type"] == ["refresh_token"] and second["resource"] == [ENDPOINT], second
    assert kept.tokens.refresh_token != second["refresh_token"][0], "it was not refreshed"

    # What it has kept is enough for the next time.
    requests.clear()
    await greet(kept, requests)
    assert not [path for _, path, _ in requests if path.endswith(("/register", "/token"))]

    # The client refuses the callback of somebody else.
    for tampered in ({"state": "foreign"}, {"iss": "https://evil.example"}):
        other = Kept()
        other.tampered = tampered
        try:
            await greet(other, [])
        except* OAuthFlowError:
            pass
        else:
            raise AssertionError(f"{tampered} was not refused")

    assert_thefts_failed(3)


asyncio.run(main())
print("ok")
