// oidc-client-ts as a single-page app in Chromium: two origins, real redirects, CORS.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { server, spa, tampered } from "./user.mjs";

const executablePath = process.argv[3];

const app = {
  html: await readFile(new URL("app.html", import.meta.url)),
  library: await readFile(fileURLToPath(import.meta.resolve("oidc-client-ts")).replace(/\/dist\/.*/, "/dist/browser/oidc-client-ts.min.js")),
  settings: {},
  /** What happens to a callback on its way to the page. */
  onCallback: (callback) => callback,
};
const files = createServer((request, response) => {
  const url = new URL(request.url, `http://${request.headers.host}`);
  const send = (type, body) => response.setHeader("content-type", type).end(body);
  if (url.pathname === "/oidc-client-ts.js") return send("text/javascript", app.library);
  if (url.pathname === "/settings.js") return send("text/javascript", `const settings = ${JSON.stringify(app.settings)};`);
  if (url.pathname === "/callback") {
    const location = app.onCallback(url);
    if (location.href !== url.href) return response.writeHead(302, { location: location.href }).end();
  }
  send("text/html; charset=utf-8", app.html);
});
await new Promise((listening) => files.listen(0, "127.0.0.1", listening));
const origin = `http://127.0.0.1:${files.address().port}`;

// No id_token: the scope is not openid. The metadata is not where OpenID Connect has it.
const settings = {
  authority: server,
  metadataUrl: `${server}/.well-known/oauth-authorization-server`,
  client_id: spa.id,
  redirect_uri: `${origin}/callback`,
  scope: "profile",
};

const flags = ["disable-gpu", "disable-quic", "no-first-run", "disable-background-networking", "disable-component-update", "disable-sync"];
const browser = await chromium.launch({ executablePath, chromiumSandbox: false, args: flags.map((flag) => `--${flag}`) });

/** A new profile; the user has pressed "Sign in", or a refusal is shown already. */
async function start(more = {}) {
  app.settings = { ...settings, ...more };
  app.onCallback = (callback) => callback;
  const context = await browser.newContext();
  const page = await context.newPage();
  const errors = [];
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  await page.goto(origin);
  await page.getByRole("button", { name: "Sign in" }).click();
  return { context, page, errors };
}

async function decide(page, decision) {
  await page.getByLabel("User").fill("alice");
  await page.getByLabel("Password").fill("wonderland");
  await page.getByRole("button", { name: decision }).click();
}

/** What the app shows, once it is something new. */
async function shown(page, before = "") {
  await page.waitForFunction((before) => ![before, ""].includes(document.querySelector("output")?.textContent ?? ""), before);
  return page.locator("output").textContent();
}

{
  const { context, page, errors } = await start();
  await decide(page, "Allow");
  const first = await shown(page);
  assert.match(first, /^alice by spa, token [\w-]{43}$/);
  await page.getByRole("button", { name: "Refresh" }).click();
  const second = await shown(page, first);
  assert.match(second, /^alice by spa, token [\w-]{43}$/);
  assert.deepEqual(errors, []);
  await context.close();
}

// The server refuses a verifier that is another one. The app can read why: the error carries CORS headers.
{
  const { context, page } = await start();
  await page.getByLabel("User").waitFor();
  const storage = await context.newPage();
  await storage.goto(origin);
  const changed = await storage.evaluate(() => {
    const [key] = Object.keys(localStorage).filter((key) => key.startsWith("oidc."));
    const state = JSON.parse(localStorage[key]);
    const before = state.code_verifier;
    localStorage[key] = JSON.stringify({ ...state, code_verifier: "a".repeat(43) });
    return before;
  });
  assert.match(changed, /^\w{96}$/);
  await decide(page, "Allow");
  assert.equal(await shown(page), "refused: invalid_grant");
  await context.close();
}

// The server refuses a request without a challenge, and the user may refuse too.
{
  const { context, page } = await start({ disablePKCE: true });
  assert.equal(await shown(page), "refused: invalid_request");
  await context.close();
}
{
  const { context, page } = await start();
  await decide(page, "Deny");
  assert.equal(await shown(page), "refused: access_denied");
  await context.close();
}

// The client refuses a foreign state. It does not look at iss: that is left to the application.
{
  const { context, page } = await start();
  app.onCallback = (callback) => tampered(callback, "state", "foreign");
  await decide(page, "Allow");
  assert.equal(await shown(page), "refused: No matching state found in storage");
  await context.close();
}
{
  const { context, page } = await start();
  app.onCallback = (callback) => tampered(callback, "iss", "https://evil.example");
  await decide(page, "Allow");
  assert.match(await shown(page), /^alice by spa/);
  await context.close();
}

await browser.close();
files.close();
console.log("ok");
