// oauth4webapi: a public client, and a confidential one that authenticates in both ways.

import assert from "node:assert/strict";
import * as oauth from "oauth4webapi";
import { assertIsAlice, authorize, server, signIn, spa, tampered, web } from "./user.mjs";

const issuer = new URL(server);
const insecure = { [oauth.allowInsecureRequests]: true };
const discovered = await oauth.discoveryRequest(issuer, { algorithm: "oauth2", ...insecure });
const as = await oauth.processDiscoveryResponse(issuer, discovered);
assert.deepEqual(as.code_challenge_methods_supported, ["S256"]);

async function start({ id, redirectUri }, withChallenge = true) {
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const url = new URL(as.authorization_endpoint);
  url.search = new URLSearchParams({
    client_id: id,
    redirect_uri: redirectUri,
    response_type: "code",
    scope: "profile",
    state,
    ...(withChallenge && {
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
    }),
  });
  return { url, state, verifier };
}

async function redeem({ id, redirectUri }, authentication, callback, state, verifier) {
  const client = { client_id: id };
  const checked = oauth.validateAuthResponse(as, client, callback, state);
  const response = await oauth.authorizationCodeGrantRequest(
    as, client, authentication, checked, redirectUri, verifier, insecure,
  );
  return oauth.processAuthorizationCodeResponse(as, client, response);
}

async function whole(who, authentication) {
  const client = { client_id: who.id };
  const { url, state, verifier } = await start(who);
  let tokens = await redeem(who, authentication, await signIn(url), state, verifier);
  for (const refreshed of [false, true]) {
    if (refreshed) {
      const response = await oauth.refreshTokenGrantRequest(as, client, authentication, tokens.refresh_token, insecure);
      tokens = await oauth.processRefreshTokenResponse(as, client, response);
    }
    assert.equal(tokens.scope, "profile");
    const target = new URL("/me", server);
    const me = await oauth.protectedResourceRequest(tokens.access_token, "GET", target, undefined, undefined, insecure);
    assertIsAlice(await me.json(), who);
  }
}

await whole(spa, oauth.None());
await whole(web, oauth.ClientSecretBasic(web.secret));
await whole(web, oauth.ClientSecretPost(web.secret));

// The server refuses a verifier that is another one, one that is missing, and a request without a challenge.
for (const wrong of [oauth.generateRandomCodeVerifier(), oauth.nopkce]) {
  const { url, state } = await start(spa);
  const redeemed = redeem(spa, oauth.None(), await signIn(url), state, wrong);
  await assert.rejects(redeemed, { name: "ResponseBodyError", error: "invalid_grant" });
}
{
  const { url, state } = await start(spa, false);
  const { callback } = await authorize(url);
  const redeemed = redeem(spa, oauth.None(), callback, state, oauth.nopkce);
  await assert.rejects(redeemed, { name: "AuthorizationResponseError", error: "invalid_request" });
}

// The client refuses the callback of somebody else.
for (const [name, value] of [["state", "foreign"], ["iss", "https://evil.example"]]) {
  const { url, state, verifier } = await start(spa);
  const callback = tampered(await signIn(url), name, value);
  const redeemed = redeem(spa, oauth.None(), callback, state, verifier);
  await assert.rejects(redeemed, { name: "OperationProcessingError" });
}

console.log("ok");
