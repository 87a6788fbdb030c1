"use strict";
// The host, as it is reached from its frame: JSON-RPC over postMessage (MCP Apps, 2026-01-26). Nothing is sent to
// anybody but the frame's parent, and nobody else is listened to.

/** How long the host may take, in milliseconds: longer than a call waits for a verdict. */
const HOST_MS = 90_000;

const host = {
  /** What it can do, and how it looks; known once it has answered. */
  capabilities: {},
  /** What is done about a notification of its, by name. */
  told: new Map(),
  waiting: new Map(),

  send(message) {
    // The host's origin cannot be known in here; the parent is the host.
    window.parent.postMessage({ jsonrpc: "2.0", ...message }, "*");
  },

  /** The host's result, or an Error in words for people. */
  request(method, params) {
    const id = `card-${(host.asked = (host.asked ?? 0) + 1)}`;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => host.settle(id, { error: { message: "the host did not answer" } }), HOST_MS);
      host.waiting.set(id, { resolve, reject, timer });
      host.send({ id, method, params });
    });
  },

  settle(id, { result, error }) {
    const waiting = host.waiting.get(id);
    if (!waiting) return;
    host.waiting.delete(id);
    clearTimeout(waiting.timer);
    if (error || !isObject(result)) waiting.reject(new Error(visible(text(error?.message) || "the host refused")));
    else waiting.resolve(result);
  },

  /** A reading call of one of this server's tools: what it came to. */
  async call(name, args) {
    return read(await host.request("tools/call", { name, arguments: args }));
  },

  receive({ source, data }) {
    if (source !== window.parent || !isObject(data) || data.jsonrpc !== "2.0") return;
    const { id, method, params } = data;
    if (method === undefined) host.settle(id, data);
    else if (id === undefined) host.told.get(method)?.(isObject(params) ? params : {});
    else host.answer(id, method);
  },

  answer(id, method) {
    if (method === "ui/resource-teardown") host.told.get(method)?.();
    if (method === "ui/resource-teardown" || method === "ping") host.send({ id, result: {} });
    else host.send({ id, error: { code: -32601, message: "the card has no such method" } });
  },

  /** Greets it; `look` is called with how it looks, now and when that changes. */
  async greet(look) {
    window.addEventListener("message", host.receive);
    host.told.set("ui/notifications/host-context-changed", look);
    const about = await host.request("ui/initialize", {
      protocolVersion: "2026-01-26",
      appInfo: { name: "fintecture-mcp-card", version: "1" },
      appCapabilities: { availableDisplayModes: ["inline"] },
    });
    if (isObject(about.hostCapabilities)) host.capabilities = about.hostCapabilities;
    if (isObject(about.hostContext)) look(about.hostContext);
    host.send({ method: "ui/notifications/initialized", params: {} });
    host.tellSize();
  },

  /** Says how much room the card needs, now and when that changes. */
  tellSize() {
    let last = "";
    const tell = () => {
      const height = Math.ceil(document.documentElement.getBoundingClientRect().height);
      const size = { width: Math.ceil(window.innerWidth), height };
      if (last === (last = `${size.width} ${size.height}`)) return;
      host.send({ method: "ui/notifications/size-changed", params: size });
    };
    new ResizeObserver(tell).observe(document.documentElement);
    tell();
  },
};

/** A record: neither a list nor a number that stands as it came. */
function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value) && JSON.isRawJSON?.(value) !== true;
}

/** The JSON of a tool's result; where a host has only the text of it, from that. */
function read({ structuredContent, content }) {
  const said = list(content).map(({ text: said } = {}) => text(said)).find((said) => said !== "") ?? "";
  const parsed = parse(said, asItCame);
  if (!isObject(structuredContent)) return isObject(parsed) ? parsed : { said };
  // The same as text: that has the numbers as they came, where a host that has read them has 1 for 1.0.
  return JSON.stringify(parse(said, Number)) === JSON.stringify(structuredContent) ? parsed : structuredContent;
}

/** What a JSON text holds, with what `number` makes of its numbers; nothing where it is none. */
function parse(json, number) {
  try {
    return JSON.parse(json, (_, it, context) => typeof it === "number" ? number(it, context) : it);
  } catch {
    return undefined; // Words of the host's own.
  }
}

/** `1.0` and not 1, where the browser can keep it so. */
function asItCame(it, { source } = {}) {
  return source === undefined || source === String(it) || JSON.rawJSON === undefined ? it : JSON.rawJSON(source);
}

function list(value) {
  return Array.isArray(value) ? value.filter((one) => one !== null && one !== undefined) : [];
}

function text(value) {
  return typeof value === "string" ? value : "";
}
