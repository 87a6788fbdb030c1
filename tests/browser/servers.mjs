// Starts built servers and speaks to them as an agent does: JSON-RPC by hand, over HTTP or standard input and output.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, watch, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { once } from "node:events";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Issuer } from "./issuer.mjs";

export const CODE = "correct-horse-battery";
const WITHIN = 20_000; // for anything that a server is waited for, in milliseconds
const REVISION = "2025-06-18";
const CACHE = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
const INTEROP = process.env.INTEROP_HOME || join(CACHE, "fintecture-mcp-ci/interop");

export function inTime(promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no ${what} within ${WITHIN} ms`)), WITHIN);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Servers of one binary; what is started here ends with `end`. */
export class Servers {
  #binary;
  #running = [];
  #folders = [];
  #sites = [];

  constructor(binary) {
    this.#binary = binary;
  }

  folder() {
    const folder = mkdtempSync(join(tmpdir(), "fintecture-browser-"));
    this.#folders.push(folder);
    return folder;
  }

  #start(args, variables, ready) {
    const kept = Object.entries(process.env).filter(([name]) => !name.startsWith("FINTECTURE_") && name !== "RUST_LOG");
    const env = { ...Object.fromEntries(kept), BROWSER: "", DISPLAY: "", WAYLAND_DISPLAY: "", ...variables };
    const child = spawn(this.#binary, args, { env, stdio: ["pipe", "pipe", "pipe"] });
    const server = { child, log: "" };
    this.#running.push(server);
    const started = new Promise((resolve, reject) => {
      child.stderr.on("data", (text) => {
        server.log += text;
        const found = ready.exec(server.log);
        if (found) resolve(found);
      });
      child.on("error", reject);
      child.on("exit", (code) => reject(new Error(`${args.join(" ")} ended with ${code}:\n${server.log}`)));
    });
    started.catch(() => {}); // An end that nobody waits for is no failure.
    return { server, started: inTime(started, `start of ${args.join(" ")}`) };
  }

  /** The stand-in for the API alone: its base URL. */
  async simulator() {
    const { started } = this.#start(["simulator", "--listen", "127.0.0.1:0"], {}, /(http:\/\/127\.0\.0\.1:\d+)/);
    return (await started)[1];
  }

  /** A server over HTTP that asks for every write, or as `flags` say otherwise; its agent shows `token`. */
  async http(environment, { upstream, variables = {}, flags = ["--confirm-writes", "always"], token } = {}) {
    const args = ["serve", "--transport", "http", "--listen", "127.0.0.1:0", "--environment", environment, ...flags];
    if (environment === "production") args.push("--audit-log", join(this.folder(), "audit.jsonl"));
    const all = { FINTECTURE_APPROVAL_CODE: CODE, ...at(upstream), ...variables };
    const { started } = this.#start(args, all, /serving Streamable HTTP at (http:\/\/127\.0\.0\.1:\d+)\/mcp/);
    const origin = (await started)[1];
    return { origin, agent: await Agent.overHttp(origin, token) };
  }

  /** A server on standard input and output; `capabilities` and `answer` are the client's. */
  async stdio(environment, { upstream, variables = {}, capabilities = {}, answer } = {}) {
    const args = ["serve", "--environment", environment, "--confirm-writes", "always"];
    const { server } = this.#start(args, { ...at(upstream), ...variables }, /^/);
    return Agent.overStdio(server, capabilities, answer);
  }

  /** A real authorization server, on another site than ours: `localhost`. */
  async issuer() {
    const own = join(INTEROP, "node22/node_modules/node/bin/node");
    const node = existsSync(own) ? own : process.execPath;
    const child = spawn(node, [join(INTEROP, "oidc/provider.mjs"), "localhost"], { stdio: ["ignore", "pipe", "pipe"] });
    const server = { child, log: "" };
    this.#running.push(server);
    child.stderr.on("data", (text) => { server.log += text; });
    const [line] = await inTime(once(createInterface({ input: child.stdout }), "line"), "authorization server");
    return new Issuer(JSON.parse(line));
  }

  /** A principal of --auth-tokens: its token, and its line of the file. */
  principal(name, scopes) {
    const said = execFileSync(this.#binary, ["token", "new", name, "--scopes", scopes], { encoding: "utf8" });
    const [token, line] = said.split("\n").filter((each) => each.startsWith("  ")).map((each) => each.trim());
    return { token, line };
  }

  /** A server of someone else, with these pages by path; notes each request that comes. */
  async site(pages = {}) {
    const seen = [];
    const server = createServer((request, response) => {
      seen.push(`${request.method} ${request.url}`);
      const page = pages[request.url];
      response.writeHead(page ? 200 : 404, { "content-type": "text/html; charset=utf-8", ...page?.headers });
      response.end(page?.html ?? "");
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    this.#sites.push(server);
    const { port } = server.address();
    return { port, seen, origin: `http://127.0.0.1:${port}` };
  }

  /** A `BROWSER` that hands over what it is told to open: [its path, the next address]. */
  browser() {
    const folder = this.folder();
    const [script, opened] = [join(folder, "browser"), join(folder, "opened")];
    writeFileSync(script, `#!/bin/sh\necho "$1" > '${opened}.new'\nmv '${opened}.new' '${opened}'\n`, { mode: 0o700 });
    const address = new Promise((resolve) => {
      const watcher = watch(folder, () => {
        if (!readdirSync(folder).includes("opened")) return;
        watcher.close();
        resolve(readFileSync(opened, "utf8").trim());
      });
    });
    const opens = inTime(address, "window opened by the server");
    opens.catch(() => {}); // A check that fails earlier does not wait for it.
    return { script, address: opens };
  }

  async end() {
    for (const { child } of this.#running) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await inTime(ended, "end of a server").catch(() => child.kill("SIGKILL"));
    }
    for (const site of this.#sites) {
      site.close();
      site.closeAllConnections();
    }
    for (const folder of this.#folders) rmSync(folder, { recursive: true, force: true });
  }

  logs() {
    return this.#running.map(({ log }) => log).join("");
  }
}

function at(upstream) {
  return upstream ? { FINTECTURE_BASE_URL: upstream, FINTECTURE_CUSTOMER_TOKEN: "a-token" } : {};
}

/** An MCP client without a person, unless `answer` plays one. */
export class Agent {
  #send;
  #ids = 0;

  constructor(send) {
    this.#send = send;
  }

  static async overHttp(origin, token) {
    const headers = { "content-type": "application/json", accept: "application/json, text/event-stream" };
    // Where the clock of a server jumps, a connection that is kept is idle for too long when the next request comes.
    headers.connection = "close";
    if (token) headers.authorization = `Bearer ${token}`;
    const agent = new Agent(async (message) => {
      const sent = fetch(`${origin}/mcp`, { method: "POST", headers, body: JSON.stringify(message) });
      const response = await inTime(sent, "answer over HTTP");
      const text = await inTime(response.text(), "end of an answer over HTTP");
      assert.ok(response.ok, `${response.status}: ${text}`);
      const session = response.headers.get("mcp-session-id");
      if (session) Object.assign(headers, { "mcp-session-id": session, "mcp-protocol-version": REVISION });
      const events = text.split("\n").filter((line) => line.startsWith("data:"));
      const answers = (events.length ? events.map((line) => line.slice(5)) : [text]).filter((json) => json.trim());
      return answers.map((json) => JSON.parse(json)).find(({ id }) => id !== undefined && id === message.id);
    });
    await agent.#greet({});
    return agent;
  }

  static async overStdio({ child }, capabilities, answer) {
    const waiting = new Map();
    const write = (message) => child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
    createInterface({ input: child.stdout }).on("line", async (line) => {
      const message = JSON.parse(line);
      if (message.method && message.id !== undefined) write({ id: message.id, result: await answer(message) });
      else waiting.get(message.id)?.(message);
    });
    const agent = new Agent((message) => {
      write(message);
      if (message.id === undefined) return undefined;
      return inTime(new Promise((resolve) => waiting.set(message.id, resolve)), "answer over stdio");
    });
    await agent.#greet(capabilities);
    return agent;
  }

  async #greet(capabilities) {
    const clientInfo = { name: "browser-check", version: "1" };
    await this.#request("initialize", { protocolVersion: capabilities.elicitation ? "2025-11-25" : REVISION, capabilities, clientInfo });
    await this.#send({ jsonrpc: "2.0", method: "notifications/initialized" });
  }

  async #request(method, params) {
    const answer = await this.#send({ jsonrpc: "2.0", id: ++this.#ids, method, params });
    assert.ok(answer?.result, `${method}: ${JSON.stringify(answer)}`);
    return answer.result;
  }

  /** A tool's result, or its error. */
  async call([tool, args]) {
    const { structuredContent } = await this.#request("tools/call", { name: tool, arguments: args });
    return structuredContent;
  }

  async good(write) {
    const result = await this.call(write);
    assert.equal(result.error, undefined, JSON.stringify(result));
    return result;
  }

  async error(write, kind) {
    const { error } = await this.call(write);
    assert.equal(error?.kind, kind, JSON.stringify(error));
    return error;
  }

  /** The address of the page on which a person is to approve this write. */
  async page(write) {
    return (await this.error(write, "confirmation_required")).approval.url;
  }
}

/** Writes to try. */
export const account = (over = {}) => [
  "manage_bank_accounts",
  {
    action: "create",
    customer_id: "sim_cus_ada",
    iban: "FR7630006000011234567890189",
    holder_name: "Ada Byron",
    bic: "AGRIFRPP",
    currency: "EUR",
    ...over,
  },
];
export const customer = (over = {}) => [
  "manage_customers",
  { action: "create", first_name: "Grace", last_name: "Hopper", email: "grace@example.com", ...over },
];
export const verification = (over = {}) => [
  "verify_identity",
  { action: "start", customer_id: "sim_cus_ada", provider_id: "sim-instant", expected_name: "Ada Lovelace", ...over },
];
/** How many bank accounts the upstream has of a customer. */
export async function accounts(agent, customer_id = "sim_cus_ada") {
  return (await agent.good(["manage_bank_accounts", { action: "list", customer_id }])).bank_accounts.length;
}
