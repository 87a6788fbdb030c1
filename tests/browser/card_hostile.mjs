// The card and those who try: values that are more than text, others who speak to it, hosts that change it.
import assert from "node:assert/strict";
import { hosted } from "./host.mjs";
import { bones, payloads } from "./payloads.mjs";

/** A result for each way in which the card shows one, with `it` in place of every value and of every unknown name. */
const results = (it) => {
  const record = { id: it, status: it, match_score: it, provider_id: it, verified_at: it, customer_id: it, [it]: { [it]: [it] } };
  const finding = { code: it, message: it, ids: [it, { [it]: it }] };
  return {
    verification: { action: it, environment: it, verification: record, hint: it, repeated: true },
    verifications: { action: it, environment: it, verifications: [record, it, [it]], hint: it },
    dossier: {
      environment: it,
      dossier: {
        customer_id: it, contradictions: [finding], gaps: [finding, it], not_checked: it,
        name_comparisons: [{ account_id: it, holder_name: it, customer_name: it, result: it, why: it }],
        sources: [{ member: it, operation: it, read_at: it }],
        customer: { id: it, first_name: it, last_name: it, company_name: it, email: it, [it]: it },
        bank_accounts: [{ id: it, iban: it, holder_name: it, [it]: it }], verifications: [record], beside: { [it]: { [it]: it } },
      },
    },
    error: {
      environment: it,
      error: {
        kind: it, message: it, hint: it, outcome: it, request_id: it, [it]: it,
        problems: [{ field: it, message: it, example: it }], approval: { url: it, expires_at: it },
      },
    },
    nothing: { said: it },
  };
};

export async function cardValuesStayText(check) {
  const there = await check.servers.site();
  const host = await hosted(check, { answer: () => Promise.reject(new Error("no")) });
  const harmless = {};
  for (const [n, it] of ["Ada", ...payloads(there.origin)].entries()) {
    for (const [kind, result] of Object.entries(results(it))) {
      await host.tells(result, { action: it, customer_id: it, expected_name: it, [it]: it });
      await host.shows(it);
      const made = await bones(host.card);
      if (n === 0) harmless[kind] = made;
      else assert.deepEqual(made, harmless[kind], `${kind}: ${it}`);
      await host.person.fitsSideways(`${kind}: ${it}`, host.card);
    }
  }
  for (const [kind, result] of Object.entries(results(payloads(there.origin)[5]))) {
    await host.tells(result);
    await host.judge(`hostile-${kind}`);
  }
  assert.deepEqual(await host.card.evaluate("window.violations"), [], "nothing so much as tried");
  assert.deepEqual(host.person.trouble, []);
  assert.deepEqual(there.seen, [], "nothing was asked for elsewhere");
  assert.deepEqual(host.framed.seen.filter((path) => path !== "GET /favicon.ico"), ["GET /card"], "nor where the card is from");
}

/** A long name of a field leaves room for its value. */
export async function cardGivesValuesRoom(check) {
  const host = await hosted(check);
  const long = "a name of a field that goes on and on ".repeat(5);
  await host.tells({ environment: "sandbox", verification: { id: "ver_1", status: "failed", [long]: "a value with some words" } }, {});
  await host.shows(long.trim());
  const widths = await host.card.$$eval("dd", (all) => all.map((one) => one.getBoundingClientRect().width / one.parentElement.clientWidth));
  assert.ok(Math.min(...widths) > 0.5, `${widths}`);
}

/** What does not show, or turns a line around, is shown by its number; a long value ends. */
export async function cardShowsWhatHides(check) {
  const host = await hosted(check);
  const name = "Ada\u202E\u200B\nnoryB\u00A0\u{E0041}";
  await host.tells({ environment: "sandbox", verification: { id: name, status: "failed", note: "x".repeat(5000) } }, {});
  await host.shows("Ada⟨U+202E⟩⟨U+200B⟩⟨U+000A⟩noryB⟨U+00A0⟩⟨U+E0041⟩", "cut here");
  const many = Array.from({ length: 60 }, (_, n) => ({ id: `ver_${n}`, status: "failed" }));
  await host.tells({ environment: "sandbox", verifications: many }, {});
  await host.shows("Verifications (60, the first 50 are shown)", "ver_49", "10 more: the text beside this card has them all.");
}

/** The card listens to the frame's parent alone, and takes no message for more than it is. */
export async function cardListensToItsHostAlone(check) {
  const host = await hosted(check);
  await host.agentCalls({ action: "get", customer_id: "sim_cus_ada", verification_id: "sim_ver_none" });
  await host.shows("not_found");
  const before = await host.text();
  const forged = { jsonrpc: "2.0", method: "ui/notifications/tool-result", params: { content: [], structuredContent: { verification: { status: "verified" } } } };
  await host.person.tab.evaluate(async (message) => {
    const other = document.createElement("iframe");
    other.srcdoc = `<script>parent.frames[0].postMessage(${JSON.stringify(message)}, "*"); parent.postMessage("sent", "*")</script>`;
    const sent = new Promise((resolve) => addEventListener("message", ({ source }) => source === other.contentWindow && resolve()));
    document.body.append(other);
    await sent;
  }, forged);
  const told = host.messages.length;
  const odd = [null, "x", 7, [], {}, { ...forged, jsonrpc: "1.0" }, { jsonrpc: "2.0", method: "constructor" }, { jsonrpc: "2.0", id: "card-1", result: null },
    { jsonrpc: "2.0", method: "ui/notifications/host-context-changed", params: { theme: "x\" onload=" } }];
  for (const message of odd) await host.person.tab.evaluate(`toCard(${JSON.stringify(message)})`);
  // What came before this was seen when this is answered.
  await host.asks("ping");
  assert.equal(await host.text(), before);
  assert.equal(host.messages.length, told + 1, "nothing else is answered");
  await assert.rejects(host.asks("tools/list"), /no such method/);
  assert.deepEqual(host.person.trouble, []);
}

/** What the host says of its looks goes before what the system says. */
export async function cardLooksLikeItsHost(check) {
  const host = await hosted(check, { context: { theme: "dark" } });
  await host.agentCalls({ action: "list", customer_id: "sim_cus_ada" });
  await host.shows("The upstream sent none");
  const ground = () => host.card.evaluate("getComputedStyle(document.body).backgroundColor");
  const [light, dark] = ["rgb(255, 255, 255)", "rgb(22, 22, 27)"];
  for (const system of ["light", "dark"]) {
    await host.person.tab.emulateMediaFeatures([{ name: "prefers-color-scheme", value: system }]);
    for (const [theme, colour] of [["light", light], ["dark", dark]]) {
      await host.bridge.sendHostContextChange({ theme });
      await host.card.waitForFunction(`document.documentElement.dataset.theme === "${theme}"`);
      assert.equal(await ground(), colour, `${theme} where the system is ${system}`);
    }
  }
}

/** Some hosts put their own policy and scripts before what a page begins with (VS Code), and wrap the parent. */
export async function cardWithAPreamble(check) {
  const preamble = `<head><meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'">
    <script>(() => {
      const real = window.parent;
      const wrapped = new Proxy({}, { get: (_, name) => name === "postMessage" ? (message) => real.postMessage(message, "*") : undefined });
      Object.defineProperty(window, "parent", { value: wrapped, configurable: true });
      const listen = window.addEventListener.bind(window);
      window.addEventListener = (type, listener) => listen(type, type !== "message" ? listener :
        (event) => listener(new Proxy(event, { get: (target, name) => name === "source" ? wrapped : target[name] })));
    })();</script>`;
  const host = await hosted(check, { prepare: (html) => html.replace("<head>", preamble) });
  await host.agentCalls({ action: "start", customer_id: "sim_cus_ada", provider_id: "sim-slow", expected_name: "Ada Byron" });
  await host.shows("Decided: Verified.", "Ada Byron");
  assert.deepEqual(await host.card.evaluate("window.violations"), []);
}
