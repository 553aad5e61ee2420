// The whole client of the MCP SDK with an MCP server that is its own authorization server: discovery, registration, PKCE
// and a call of a tool.

import assert from "node:assert/strict";
import { UnauthorizedError } from "@modelcontextprotocol/sdk/client/auth.js";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { server } from "./user.mjs";

const redirectUri = "http://127.0.0.1:8765/callback";

/** What an application lends to the SDK. It is registered with nobody yet. */
const kept = {};
const authProvider = {
  redirectUrl: redirectUri,
  clientMetadata: { client_name: "tests", redirect_uris: [redirectUri], token_endpoint_auth_method: "none" },
  state: () => (kept.state = crypto.randomUUID()),
  clientInformation: () => kept.client,
  saveClientInformation: (client) => void (kept.client = client),
  tokens: () => kept.tokens,
  saveTokens: (tokens) => void (kept.tokens = tokens),
  redirectToAuthorization: (url) => void (kept.url = url),
  saveCodeVerifier: (verifier) => void (kept.verifier = verifier),
  codeVerifier: () => kept.verifier,
};
const transport = () => new StreamableHTTPClientTransport(new URL("/mcp", server), { authProvider });
const client = () => new Client({ name: "tests", version: "1" });

/** The user approves, as a browser would send it. The callback, which nobody requests. */
async function approve(url) {
  let response = await fetch(url, { redirect: "manual" });
  if (response.status === 200) {
    const [cookie] = response.headers.get("set-cookie").split(";");
    const csrf = (await response.text()).match(/name="csrf" value="([^"]*)"/)[1];
    const body = new URLSearchParams({ csrf, approved: "true" });
    response = await fetch(new URL("/oauth/approve", url), { method: "POST", body, headers: { cookie }, redirect: "manual" });
  }
  assert.equal(response.status, 303);
  const callback = new URL(response.headers.get("location"));
  assert.equal(callback.searchParams.get("state"), kept.state);
  assert.equal(callback.searchParams.get("iss"), server);
  return callback.searchParams;
}

// Without a token the SDK registers the application and sends the user to the server, with a challenge.
const first = transport();
await assert.rejects(client().connect(first), UnauthorizedError);
assert.equal(kept.url.searchParams.get("code_challenge_method"), "S256");

// Somebody takes the challenge out on the way.
const without = new URL(kept.url);
without.searchParams.delete("code_challenge");
without.searchParams.delete("code_challenge_method");
const refused = await approve(without);
assert.deepEqual([refused.get("code"), refused.get("error")], [null, "invalid_request"]);

// Another verifier is refused and changes nothing; the right one is served.
const code = (await approve(kept.url)).get("code");
const { verifier } = kept;
kept.verifier = "a".repeat(43);
await assert.rejects(first.finishAuth(code), { errorCode: "invalid_grant" });
kept.verifier = verifier;
await first.finishAuth(code);
const tokens = kept.tokens;

// The tool, and once more after the token was lost: the SDK refreshes it by itself.
for (const access_token of [tokens.access_token, "lost"]) {
  kept.tokens = { ...tokens, access_token };
  const mcp = client();
  await mcp.connect(transport());
  const { content } = await mcp.callTool({ name: "greet", arguments: { name: "alice" } });
  assert.equal(content[0].text, "hello, alice");
  await mcp.close();
}
assert.notEqual(kept.tokens.refresh_token, tokens.refresh_token, "it was not refreshed");

// The code is served once. Whoever sends it again ends what it has produced.
await assert.rejects(first.finishAuth(code), { errorCode: "invalid_grant" });
const headers = { authorization: `Bearer ${kept.tokens.access_token}` };
const response = await fetch(new URL("/mcp", server), { method: "POST", headers });
assert.match(response.headers.get("www-authenticate"), /error="invalid_token"/);

// The list that MCP clients look for.
const metadata = await (await fetch(new URL("/.well-known/oauth-authorization-server", server))).json();
assert.deepEqual(metadata.code_challenge_methods_supported, ["S256"]);

console.log("ok");
