// A host of MCP Apps: a real client of a built server, which frames the server's card as the extension says
// (2026-01-26) and speaks to it through the extension's own bridge.
import assert from "node:assert/strict";
import { pathOf } from "./visitor.mjs";
import { inTime } from "./servers.mjs";

const { Client, StreamableHTTPClientTransport } = await import(pathOf("@modelcontextprotocol/client"));
const { EmptyResultSchema } = await import(pathOf("@modelcontextprotocol/core"));
const { AppBridge, RESOURCE_MIME_TYPE, getToolUiResourceUri } = await import(pathOf("@modelcontextprotocol/ext-apps/app-bridge"));

/** The policy that the extension has hosts make of what a card asks for. */
function policy({ connectDomains = [], resourceDomains = [], frameDomains = [], baseUriDomains = [] }) {
  const from = (...sources) => sources.flat().join(" ");
  return [
    "default-src 'none'",
    `script-src ${from("'self'", "'unsafe-inline'", resourceDomains)}`,
    `style-src ${from("'self'", "'unsafe-inline'", resourceDomains)}`,
    `connect-src ${from("'self'", connectDomains)}`,
    `img-src ${from("'self'", "data:", resourceDomains)}`,
    `font-src ${from("'self'", resourceDomains)}`,
    `media-src ${from("'self'", "data:", resourceDomains)}`,
    `frame-src ${from(frameDomains.length ? frameDomains : "'none'")}`,
    "object-src 'none'",
    `base-uri ${from(baseUriDomains.length ? baseUriDomains : "'self'")}`,
  ].join("; ");
}

/** The page around the card: it carries messages, and gives the card the room that it asks for. */
const page = (card) => `<!doctype html><html lang="en"><title>Host</title>
<style>body { margin: 0 } iframe { display: block; width: 100%; border: 0 }</style>
<iframe title="Card" sandbox="allow-scripts" src="${card}"></iframe>
<script>
  const frame = document.querySelector("iframe");
  addEventListener("message", ({ source, data }) => source === frame.contentWindow && fromCard(data));
  const toCard = (message) => frame.contentWindow.postMessage(message, "*");
  const makeRoom = (height) => { frame.style.height = height + "px"; };
</script>`;

export class Host {
  /** What the card called, in order. */
  calls = [];
  /** Every message from it. */
  messages = [];

  /**
   * A host whose person is `person`, in front of the server at `origin`. `answer` plays the server for the card's
   * own calls; `prepare` changes the HTML as some hosts do.
   */
  static async of(person, servers, origin, { capabilities = { serverTools: {}, openLinks: {} }, context = {}, answer, prepare = (html) => html } = {}) {
    const host = new Host();
    host.person = person;
    const ui = { "io.modelcontextprotocol/ui": { mimeTypes: [RESOURCE_MIME_TYPE] } };
    host.client = new Client({ name: "card-check", version: "1" }, { capabilities: { extensions: ui } });
    await host.client.connect(new StreamableHTTPClientTransport(new URL(`${origin}/mcp`)));
    const { tools } = await host.client.listTools();
    const uri = getToolUiResourceUri(tools.find(({ name }) => name === "verify_identity"));
    const { contents: [card] } = await host.client.readResource({ uri });
    assert.equal(card.mimeType, RESOURCE_MIME_TYPE);

    host.bridge = new AppBridge(null, { name: "card-check", version: "1" }, capabilities, { hostContext: context });
    host.bridge.oncalltool = (params) => {
      host.calls.push(params);
      return answer ? answer(params) : host.client.callTool(params);
    };
    /** The first page that it has opened. */
    host.opened = new Promise((resolve) => {
      host.bridge.onopenlink = async ({ url }) => {
        resolve(url);
        return {};
      };
    });
    host.bridge.onsizechange = ({ height }) => {
      person.tab.evaluate(`makeRoom(${Number(height)})`).catch(() => {}); // The tab may be gone.
    };
    const greeted = new Promise((resolve) => { host.bridge.oninitialized = resolve; });
    const transport = {
      start: async () => {},
      close: async () => {},
      send: (message) => person.tab.evaluate(`toCard(${JSON.stringify(message)})`),
    };
    await person.tab.exposeFunction("fromCard", (message) => {
      host.messages.push(message);
      transport.onmessage(message);
    });
    await host.bridge.connect(transport);
    const framed = await servers.site({
      "/card": { html: prepare(card.text), headers: { "content-security-policy": policy(card._meta.ui.csp) } },
    });
    const around = await servers.site({ "/": { html: page(`${framed.origin}/card`) } });
    person.abroad.push(framed.origin);
    await person.tab.evaluateOnNewDocument(() => {
      window.violations = [];
      addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => window.violations.push(`${violatedDirective} ${blockedURI}`));
    });
    await person.open(`${around.origin}/`);
    await inTime(greeted, "greeting from the card");
    host.card = person.tab.frames().find((frame) => frame !== person.tab.mainFrame());
    host.framed = framed;
    return host;
  }

  /** Has the agent call the tool, and the card told of it. */
  async agentCalls(args) {
    await this.bridge.sendToolInput({ arguments: args });
    const result = await this.client.callTool({ name: "verify_identity", arguments: args });
    await this.bridge.sendToolResult(result);
    return result.structuredContent;
  }

  /** Tells the card of a result that was made here. */
  async tells(structuredContent, args = {}) {
    await this.bridge.sendToolInput({ arguments: args });
    const text = JSON.stringify(structuredContent);
    await this.bridge.sendToolResult({ content: [{ type: "text", text }], structuredContent, isError: "error" in structuredContent });
  }

  /** A request of the host's to the card. */
  asks(method) {
    return this.bridge.request({ method }, EmptyResultSchema);
  }

  text() {
    return this.card.evaluate("document.body.innerText");
  }

  /** Waits until the card shows all of these. */
  async shows(...wanted) {
    const missing = (words) => words.filter((each) => !document.body.innerText.includes(each)).length === 0;
    await inTime(this.card.waitForFunction(missing, { timeout: 0 }, wanted), wanted.join(", ")).catch(async (error) => {
      throw new Error(`${error.message} in: ${await this.text()}`);
    });
  }

  /** Judges the card as it is. */
  async judge(name) {
    // The card has the room that it asked for.
    const hasRoom = "innerHeight === Math.ceil(document.documentElement.getBoundingClientRect().height)";
    await this.person.judge(`card-${name}`, this.card, () => inTime(this.card.waitForFunction(hasRoom, { timeout: 0 }), "room"));
    assert.deepEqual(await this.card.evaluate("window.violations"), [], name);
  }
}

/** A host in front of a server that asks nobody, or as `flags` say. */
export async function hosted({ servers, visitor }, { environment = "simulator", flags = ["--confirm-writes", "never"], upstream, ...how } = {}) {
  const { origin } = await servers.http(environment, { flags, upstream });
  return Host.of(await visitor(), servers, origin, how);
}
