// The authorization server scenarios of the MCP conformance suite. It prints the URL at which the user has to sign in.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { browser, server } from "./user.mjs";

const free = createServer().listen(0, "127.0.0.1");
await new Promise((listening) => free.once("listening", listening));
const { port } = free.address();
await new Promise((closed) => free.close(closed));

/** A public client: the fixtures have one, at the example it registers. */
const metadata = await (await fetch(new URL("/.well-known/oauth-authorization-server", server))).json();
async function register() {
  const body = JSON.stringify({
    client_name: "judge",
    redirect_uris: [`http://127.0.0.1:${port}/callback`],
    token_endpoint_auth_method: "none",
  });
  const headers = { "content-type": "application/json" };
  return (await fetch(metadata.registration_endpoint, { method: "POST", headers, body })).json();
}
const isFixture = !metadata.registration_endpoint;
const client = isFixture ? "spa" : (await register()).client_id;

const judge = fileURLToPath(new URL("../node_modules/.bin/conformance", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "conformance-"));
const options = ["--url", server, "--client-id", client, "--port", port, "--output-dir", folder];
if (!isFixture) options.push("--resource", new URL("/mcp", server));
const judging = spawn(process.execPath, [judge, "authorization", ...options.map(String)]);
for await (const line of createInterface({ input: judging.stdout })) {
  if (line.startsWith(metadata.authorization_endpoint)) {
    assert.equal(spawnSync("python3", [browser, line.trim()], { stdio: "inherit" }).status, 0);
  }
}

const files = readdirSync(folder, { recursive: true }).filter((file) => file.endsWith("checks.json"));
const checks = files.flatMap((file) => JSON.parse(readFileSync(join(folder, file))));
rmSync(folder, { recursive: true });
for (const { id, status } of checks) console.log(id, status.toLowerCase());
console.log("ok");
