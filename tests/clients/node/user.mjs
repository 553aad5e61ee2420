// The user with a browser, and what all the clients here are registered with.

import assert from "node:assert/strict";
import { realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const server = process.argv[2];

/** For programs that open a browser. Beside the scripts, not beside the link to them. */
export const browser = join(dirname(realpathSync(fileURLToPath(import.meta.url))), "../browser.py");

export const spa = { id: "spa", redirectUri: "http://127.0.0.1:8765/callback" };
export const web = { id: "web", secret: "web-secret", redirectUri: "https://app.example/cb?tenant=7" };

/** The answer to an authorization request: a sign-in page, or the callback if the server redirects at once. */
export async function authorize(url) {
  const response = await fetch(url, { redirect: "manual" });
  if (response.status === 303) return { callback: new URL(response.headers.get("location")) };
  assert.equal(response.status, 200, "no sign-in page");
  return { page: await response.text(), url: response.url };
}

/** Alice fills in the form as a browser would and allows. The callback, which nobody requests. */
export async function signIn(url) {
  const { page, url: base } = await authorize(url);
  assert.ok(page, "a redirect instead of a sign-in page");
  const attribute = (tag, name) => tag.match(new RegExp(` ${name}="([^"]*)"`))?.[1];
  const form = page.match(/<form [^>]*>/)[0];
  const fields = new URLSearchParams();
  for (const [input] of page.matchAll(/<input [^>]*>/g)) {
    fields.set(attribute(input, "name"), attribute(input, "value") ?? "");
  }
  fields.set("username", "alice");
  fields.set("password", "wonderland");
  const [allow] = page.match(/<button [^>]*value="allow"[^>]*>/);
  fields.set(attribute(allow, "name"), attribute(allow, "value"));
  const response = await fetch(new URL(attribute(form, "action"), base), {
    method: attribute(form, "method"),
    body: fields,
    redirect: "manual",
  });
  assert.equal(response.status, 303, "the sign-in does not redirect");
  return new URL(response.headers.get("location"));
}

/** A callback with one parameter changed on the way. */
export function tampered(callback, name, value) {
  const url = new URL(callback);
  url.searchParams.set(name, value);
  return url;
}

/** What `GET /me` says to a client that was served. */
export function assertIsAlice(me, client) {
  assert.deepEqual(me, { sub: "alice", client_id: client.id });
}
