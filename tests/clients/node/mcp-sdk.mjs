// The client authorization of the MCP SDK, with an MCP server that names the authorization server (RFC 9728).

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { auth, extractWWWAuthenticateParams } from "@modelcontextprotocol/sdk/client/auth.js";
import { assertIsAlice, server, signIn, spa, web } from "./user.mjs";

// As much of the MCP server as matters here: no access without a token, and where to get one.
const resourceServer = createServer((request, response) => {
  const origin = `http://${request.headers.host}`;
  const metadata = "/.well-known/oauth-protected-resource/mcp";
  if (request.url === metadata) {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ resource: `${origin}/mcp`, authorization_servers: [server] }));
  } else {
    response.setHeader("www-authenticate", `Bearer resource_metadata="${origin}${metadata}"`);
    response.writeHead(401).end();
  }
});
await new Promise((listening) => resourceServer.listen(0, "127.0.0.1", listening));
const serverUrl = new URL(`http://127.0.0.1:${resourceServer.address().port}/mcp`);

/** What an application lends to the SDK. The client is registered already, so there is nothing to save. */
function provider({ id, secret, redirectUri }) {
  const kept = {};
  return {
    kept,
    redirectUrl: redirectUri,
    clientMetadata: { redirect_uris: [redirectUri], scope: "profile" },
    state: () => (kept.state = crypto.randomUUID()),
    clientInformation: () => ({ client_id: id, client_secret: secret, issuer: server }),
    tokens: () => kept.tokens,
    saveTokens: (tokens) => void (kept.tokens = tokens),
    redirectToAuthorization: (url) => void (kept.url = url),
    saveCodeVerifier: (verifier) => void (kept.verifier = verifier),
    codeVerifier: () => kept.verifier,
  };
}

/** Up to the callback. The SDK is given the code alone: state and issuer are for the application to check. */
async function start(provider, fetchFn = fetch) {
  const { resourceMetadataUrl } = extractWWWAuthenticateParams(await fetch(serverUrl));
  const options = { serverUrl, resourceMetadataUrl, fetchFn };
  assert.equal(await auth(provider, options), "REDIRECT");
  const callback = await signIn(provider.kept.url);
  assert.equal(callback.searchParams.get("state"), provider.kept.state);
  assert.equal(callback.searchParams.get("iss"), server);
  return { ...options, authorizationCode: callback.searchParams.get("code") };
}

async function whole(who) {
  const user = provider(who);
  const { authorizationCode, ...options } = await start(user);
  assert.equal(await auth(user, { ...options, authorizationCode }), "AUTHORIZED");
  const first = user.kept.tokens;
  assert.equal(await auth(user, options), "AUTHORIZED");
  const second = user.kept.tokens;
  assert.notEqual(first.refresh_token, second.refresh_token, "it was not refreshed");
  for (const { access_token } of [first, second]) {
    const me = await fetch(new URL("/me", server), { headers: { authorization: `Bearer ${access_token}` } });
    assertIsAlice(await me.json(), who);
  }
}

await whole(spa);
await whole(web);

// The server refuses a verifier that is another one; the SDK sends the same request a second time.
{
  let requests = 0;
  const counted = (url, init) => {
    if (init.method === "POST") requests += 1;
    return fetch(url, init);
  };
  const user = provider(spa);
  const options = await start(user, counted);
  const { verifier } = user.kept;
  user.kept.verifier = "a".repeat(43);
  await assert.rejects(auth(user, options), { errorCode: "invalid_grant" });
  assert.equal(requests, 2);
  // Both have changed nothing.
  user.kept.verifier = verifier;
  assert.equal(await auth(user, options), "AUTHORIZED");
}

/** A server whose metadata was changed: by this value, or without a value by leaving it out. */
const withMethods = (methods) => async (url, init) => {
  const response = await fetch(url, init);
  if (!new URL(url).pathname.startsWith("/.well-known/oauth-authorization-server")) return response;
  return Response.json({ ...(await response.json()), code_challenge_methods_supported: methods });
};
await assert.rejects(start(provider(spa), withMethods(["plain"])), /does not support code challenge method S256/);
await assert.rejects(start(provider(spa), withMethods([])), /does not support code challenge method S256/);
// The specification says that a client must refuse a server that leaves it out; this version of the SDK does not.
await start(provider(spa), withMethods(undefined));

// A client that is not registered wants to be, which these servers do not offer.
const unknown = { ...provider(spa), clientInformation: () => undefined, saveClientInformation: () => {} };
await assert.rejects(auth(unknown, { serverUrl }), /does not support dynamic client registration/);

resourceServer.close();
console.log("ok");
