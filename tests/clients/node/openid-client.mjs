// openid-client: a public client, and a confidential one that authenticates in both ways.

import assert from "node:assert/strict";
import * as client from "openid-client";
import { assertIsAlice, authorize, server, signIn, spa, tampered, web } from "./user.mjs";

// A plain OAuth 2.0 server, on loopback without TLS.
const options = { algorithm: "oauth2", execute: [client.allowInsecureRequests] };

async function start({ id, redirectUri }, authentication) {
  const config = await client.discovery(new URL(server), id, undefined, authentication, options);
  assert.ok(config.serverMetadata().supportsPKCE(), "the metadata does not say S256");
  const verifier = client.randomPKCECodeVerifier();
  const state = client.randomState();
  const parameters = {
    redirect_uri: redirectUri,
    scope: "profile",
    state,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
  };
  const checks = { pkceCodeVerifier: verifier, expectedState: state };
  return { config, parameters, checks, url: client.buildAuthorizationUrl(config, parameters) };
}

/**
 * As redirect URI the token request has the callback without its query: with a query of its own it is another one than
 * in the authorization request, and the library has no setting for it. So the application mends it on the way.
 */
const withRedirectUri = ({ redirectUri }) => (url, options) => {
  if (options.body?.has("redirect_uri")) options.body.set("redirect_uri", redirectUri);
  return fetch(url, options);
};

async function whole(who, authentication) {
  const { config, checks, url } = await start(who, authentication);
  config[client.customFetch] = withRedirectUri(who);
  let tokens = await client.authorizationCodeGrant(config, await signIn(url), checks);
  for (const refreshed of [false, true]) {
    if (refreshed) tokens = await client.refreshTokenGrant(config, tokens.refresh_token);
    assert.equal(tokens.scope, "profile");
    const me = await client.fetchProtectedResource(config, tokens.access_token, new URL("/me", server), "GET");
    assertIsAlice(await me.json(), who);
  }
}

await whole(spa, client.None());
await whole(web, client.ClientSecretBasic(web.secret));
await whole(web, client.ClientSecretPost(web.secret));
{
  const { config, checks, url } = await start(web, client.ClientSecretBasic(web.secret));
  const grant = client.authorizationCodeGrant(config, await signIn(url), checks);
  await assert.rejects(grant, { error: "invalid_grant" });
}

// The server refuses a verifier that is another one, one that is missing, and a request without a challenge.
for (const pkceCodeVerifier of [client.randomPKCECodeVerifier(), undefined]) {
  const { config, checks, url } = await start(spa, client.None());
  const grant = client.authorizationCodeGrant(config, await signIn(url), { ...checks, pkceCodeVerifier });
  await assert.rejects(grant, { name: "ResponseBodyError", error: "invalid_grant" });
}
{
  const { config, parameters, checks } = await start(spa, client.None());
  const { code_challenge, code_challenge_method, ...without } = parameters;
  const { callback } = await authorize(client.buildAuthorizationUrl(config, without));
  const grant = client.authorizationCodeGrant(config, callback, { expectedState: checks.expectedState });
  await assert.rejects(grant, { name: "AuthorizationResponseError", error: "invalid_request" });
}

// The client refuses the callback of somebody else.
for (const [name, value] of [["state", "foreign"], ["iss", "https://evil.example"]]) {
  const { config, checks, url } = await start(spa, client.None());
  const callback = tampered(await signIn(url), name, value);
  await assert.rejects(client.authorizationCodeGrant(config, callback, checks), { code: "OAUTH_INVALID_RESPONSE" });
}

console.log("ok");
