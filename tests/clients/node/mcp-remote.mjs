// mcp-remote: for hosts that only know servers on standard input and output. It opens a browser, and keeps what it gets in a
// folder.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { browser, server } from "./user.mjs";

const folder = mkdtempSync(join(tmpdir(), "mcp-remote-"));
const thefts = join(folder, "thefts");
const urls = join(folder, "urls");
// The browser: whoever sees the callback tries the code first.
const program = `#!/bin/sh\necho "$1" >> ${urls}\nexec python3 -B ${browser} --thief ${thefts} "$1"\n`;
writeFileSync(join(folder, "browser"), program, { mode: 0o755 });
const env = { ...process.env, BROWSER: join(folder, "browser"), MCP_REMOTE_CONFIG_DIR: join(folder, "kept") };
const mcpRemote = fileURLToPath(new URL("../node_modules/mcp-remote/dist/proxy.js", import.meta.url));

/** As a desktop application would: a process for the server, and a call of the tool. */
async function greet() {
  const args = [mcpRemote, new URL("/mcp", server).href, "--transport", "http-only", "--silent"];
  const mcp = new Client({ name: "tests", version: "1" });
  await mcp.connect(new StdioClientTransport({ command: process.execPath, args, env }));
  const { content } = await mcp.callTool({ name: "greet", arguments: { name: "alice" } });
  assert.equal(content[0].text, "hello, alice");
  await mcp.close();
}
const lines = (file) => readFileSync(file, "utf8").trimEnd().split("\n");

await greet();
const [url] = lines(urls).map((line) => new URL(line));
assert.equal(url.searchParams.get("code_challenge_method"), "S256");
assert.equal(url.searchParams.get("resource"), new URL("/mcp", server).href);
assert.match(url.searchParams.get("redirect_uri"), /^http:\/\/localhost:\d+\/oauth\/callback$/);
assert.deepEqual(lines(thefts), ["400 invalid_grant", "400 invalid_grant"]);

// What it has kept is enough for the next time: no browser.
await greet();
assert.equal(lines(urls).length, 1);

// Nor if the access token is lost: it refreshes it by itself.
const [file] = readdirSync(env.MCP_REMOTE_CONFIG_DIR, { recursive: true }).filter((name) => name.endsWith("_tokens.json"));
const path = join(env.MCP_REMOTE_CONFIG_DIR, file);
const kept = JSON.parse(readFileSync(path));
writeFileSync(path, JSON.stringify({ ...kept, access_token: "lost" }));
await greet();
assert.equal(lines(urls).length, 1);
assert.notEqual(JSON.parse(readFileSync(path)).refresh_token, kept.refresh_token, "it was not refreshed");

rmSync(folder, { recursive: true });
console.log("ok");
