"""FastMCP: one line is an application. It opens a browser and listens for the callback by itself."""

import asyncio
import os
import shlex
import warnings

from mcp_server import BROWSER, ENDPOINT, assert_thefts_failed

# In the background: it opens the browser before it listens.
os.environ["BROWSER"] = f"{shlex.join(BROWSER)} %s &"
warnings.simplefilter("ignore")

import httpx2
from fastmcp import Client
from fastmcp.client.auth import OAuth
from key_value.aio.stores.memory import MemoryStore


async def greet(auth):
    async with Client(ENDPOINT, auth=auth) as client:
        result = await client.call_tool("greet", {"name": "alice"})
        assert result.content[0].text == "hello, alice", result


async def main():
    await greet("oauth")

    requests = []

    async def record(request):
        requests.append(request.url)

    def factory(**options):
        return httpx2.AsyncClient(event_hooks={"request": [record]}, **options)

    store = MemoryStore()
    first = OAuth(token_storage=store, httpx_client_factory=factory)
    await greet(first)
    # It requests the authorization page itself before the browser does, so the server sees each request twice.
    [seen] = [url for url in requests if url.path.endswith("/authorize")]
    redirect_uri = seen.params["redirect_uri"]
    assert redirect_uri == f"http://localhost:{first.redirect_port}/callback", redirect_uri

    # With the tokens kept it asks for nothing.
    requests.clear()
    await greet(OAuth(token_storage=store, httpx_client_factory=factory))
    assert not [url for url in requests if url.path.endswith("/authorize")]

    # Without them it comes with the registration of the first time, but listens on another port than it has registered.
    again = OAuth(token_storage=store, httpx_client_factory=factory)
    again._bind(ENDPOINT)
    await again.token_storage_adapter._storage_oauth_token.delete(key=f"{ENDPOINT}/tokens")
    await greet(again)
    [seen_again] = [url for url in requests if url.path.endswith("/authorize")]
    assert seen_again.params["client_id"] == seen.params["client_id"]
    assert seen_again.params["redirect_uri"] != redirect_uri

    assert_thefts_failed(3)


asyncio.run(main())
print("ok")
