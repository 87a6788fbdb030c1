// The card, framed by a host of MCP Apps: each of its states, at a real server where one says it.
import assert from "node:assert/strict";
import { hosted } from "./host.mjs";
import { inTime } from "./servers.mjs";

const ADA = "sim_cus_ada";
const start = (provider_id, over = {}) => ({ action: "start", customer_id: ADA, provider_id, expected_name: "Ada Byron", ...over });

export async function cardVerified(check) {
  const host = await hosted(check);
  await host.shows("Waiting for the result");
  await host.judge("waiting");
  const { verification } = await host.agentCalls(start("sim-instant"));
  await host.shows("Verified", "SIMULATOR", verification.id, "Match score\n1.0", verification.verified_at, "What this does not prove");
  await host.shows("Ada Byron", ADA);
  assert.deepEqual(host.calls, [{ name: "manage_customers", arguments: { action: "get", customer_id: ADA } }]);
  await host.judge("verified");
}

export async function cardDecidedOtherwise(check) {
  const host = await hosted(check);
  await host.agentCalls(start("sim-instant", { expected_name: "Grace Hopper" }));
  await host.shows("Not verified", "The name was not confirmed", "Grace Hopper", "Ada Byron");
  await host.judge("unverified");
  await host.agentCalls(start("sim-failed"));
  await host.shows("Failed", "proves nothing about the customer");
  await host.judge("failed");
  const unknown = { id: "ver_1", status: "on_hold", match_score: null, new_field: { a: [1] } };
  await host.tells({ action: "get", environment: "production", verification: unknown, hint: "Tell the operator." }, { action: "get" });
  await host.shows("on_hold", "Its API does not document it", "(empty)", 'new_field\na\n[1]', "Production", "Tell the operator.");
  await host.judge("unknown-status");
  // Words that JavaScript has of its own are the upstream's like any other.
  for (const status of ["constructor", "__proto__", 7, null]) {
    await host.tells({ action: "get", environment: status, verification: { status, constructor: status } }, {});
    await host.shows("Its API does not document it", `Environment: ${status ?? "(empty)"}`);
  }
}

export async function cardLooksAgain(check) {
  const host = await hosted(check);
  const { verification } = await host.agentCalls(start("sim-slow"));
  await host.shows("Pending", "this card looks again by itself");
  await host.judge("pending");
  await host.shows("Verified", "Decided: Verified.", "Ada Byron");
  await host.judge("decided");
  const looks = host.calls.filter(({ name }) => name === "verify_identity");
  const ids = { customer_id: ADA, verification_id: verification.id };
  assert.deepEqual(looks, [{ name: "verify_identity", arguments: { action: "get", ...ids, wait_seconds: 30 } }]);
  assert.equal(await host.card.$eval("[role=status]", ({ innerText }) => innerText.slice(0, 18)), "Decided: Verified.");
}

export async function cardThatCannotLook(check) {
  const host = await hosted(check, { capabilities: {} });
  await host.agentCalls(start("sim-never"));
  await host.shows("Pending", "Ask the agent to look again", ADA);
  await host.judge("pending-host-without-calls");
  assert.deepEqual(host.calls, []);
}

/** What the server says to a look is said to the person, and what was known stays. */
export async function cardLookFails(check) {
  const refusals = [];
  const pending = { id: "ver_1", status: "pending" };
  const saying = (body) => ({ content: [{ type: "text", text: JSON.stringify(body) }], structuredContent: body });
  const answer = async ({ name }) => {
    if (name === "manage_customers") return saying({ environment: "sandbox", customer: { id: "cus_other", first_name: "Mallory" } });
    const next = refusals.shift();
    if (next instanceof Error) throw next;
    return saying({ action: "get", environment: "sandbox", ...next });
  };
  const host = await hosted(check, { answer });
  refusals.push({ error: { kind: "upstream_unavailable", message: "the upstream did not answer", retryable: true } });
  await host.tells({ action: "start", environment: "sandbox", verification: pending, repeated: true }, { action: "start", customer_id: "cus_1" });
  await host.shows("Pending", "could not look again: the upstream did not answer", "SANDBOX", "This was sent before");
  assert.ok(!(await host.text()).includes("Mallory"), "another customer's name");
  await host.judge("look-failed");

  // By keyboard alone; the focus is never lost.
  const { keyboard } = host.person.tab;
  const focused = () => host.card.evaluate("document.activeElement.outerHTML");
  const press = async (next, shows) => {
    refusals.push(next);
    const isThere = async () => /^<button[^>]*>Look again/.test(await focused());
    for (let n = 0; n < 5 && !(await isThere()); n++) await keyboard.press("Tab");
    assert.ok(await isThere(), await focused());
    await keyboard.press("Enter");
    await host.shows(shows);
    assert.doesNotMatch(await focused(), /^<body/);
  };
  await press(new Error("the person said no"), "could not look again: the person said no");
  await press({ verification: { id: "ver_2", status: "verified" } }, "the answer was about another verification");
  await host.shows("Pending");
  refusals.push({ error: { kind: "rate_limited", message: "too many", retry_after_seconds: 0 } });
  await press({ verification: { ...pending, status: "failed" } }, "Decided: Failed");
  assert.deepEqual(refusals, []);

  // A card that was put away looks no more.
  refusals.push({ verification: pending });
  await host.tells({ action: "get", environment: "sandbox", verification: pending }, { action: "get", customer_id: "cus_1" });
  await host.shows("this card looks again by itself");
  assert.deepEqual(await host.bridge.teardownResource({}), {});
}

export async function cardDossier(check) {
  const host = await hosted(check);
  await host.agentCalls(start("sim-instant"));
  await host.agentCalls(start("sim-never"));
  const { dossier } = await host.agentCalls({ action: "dossier", customer_id: ADA });
  await host.shows("Dossier of a customer", "Ada Byron", ADA, "Contradictions (", "Gaps (", "Verifications (2)", dossier.not_checked);
  for (const { message } of [...dossier.contradictions, ...dossier.gaps]) await host.shows(message);
  for (const { iban } of dossier.bank_accounts) await host.shows(iban);
  await host.shows("Address\nLine 1\n12 rue des Archives\nPostal code\n75004\nCity\nParis\nCountry\nFR\nExternal id\ncrm-1001\nCreated at");
  assert.doesNotMatch(await host.text(), /hidden characters/, "nothing is masked here");
  await host.judge("dossier");
  await host.card.focus("summary");
  await host.person.tab.keyboard.press("Enter");
  await host.shows("Names compared", dossier.sources[0].read_at);
  await host.judge("dossier-open");
  await host.agentCalls({ action: "list", customer_id: ADA });
  await host.shows("Verifications of a customer", "Verifications (2)", "Pending", "Verified");
  await host.judge("list");
}

/** Masked, as production's results are; and what asks for a person. */
export async function cardInProduction(check) {
  const upstream = await check.servers.simulator();
  const host = await hosted(check, { environment: "production", flags: [], upstream });
  const { error } = await host.agentCalls(start("sim-instant"));
  assert.equal(error.kind, "confirmation_required");
  await host.shows("Production: real customers", "Approval needed", error.message, error.approval.url);
  assert.equal((await host.text()).match(/approve this|nothing was|retryable/gi).join(), "approve this,nothing was", "everything once");
  await host.judge("confirmation-required");
  await host.card.click("#content button");
  assert.equal(await inTime(host.opened, "page to be opened"), error.approval.url);
  const { dossier } = await host.agentCalls({ action: "dossier", customer_id: ADA });
  await host.shows("Dossier of a customer", dossier.bank_accounts[0].iban, dossier.customer.email, "may stand for hidden characters");
  assert.match(dossier.bank_accounts[0].iban, /…/);
  await host.judge("dossier-masked");
}

export async function cardErrors(check) {
  const host = await hosted(check);
  await host.agentCalls({ action: "get", customer_id: ADA, verification_id: "sim_ver_none" });
  await host.shows("No result", "not_found", "The agent is told:");
  assert.doesNotMatch(await host.text(), /retryable/i, "the hint says it");
  await host.judge("not-found");
  await host.agentCalls({ action: "get", customer_id: "", wait_seconds: 900 });
  await host.shows("invalid_input", "customer_id", "wait_seconds", "verification_id");
  await host.judge("invalid-input");
  const unknown = { kind: "outcome_unknown", message: "the upstream did not answer in time", hint: "Call verify_identity list.", retryable: false, outcome: "unknown", request_id: "r-1" };
  await host.tells({ action: "start", environment: "sandbox", error: unknown }, { action: "start" });
  await host.shows("It is not known whether it took effect", "r-1");
  await host.judge("outcome-unknown");
  await host.bridge.sendToolResult({ content: [{ type: "text", text: "The person said no." }], isError: true });
  await host.shows("There is nothing here that this card can show", "The person said no.");
  await host.judge("words-of-the-host");
  // A host that hands on the text alone.
  await host.bridge.sendToolResult({ content: [{ type: "text", text: JSON.stringify({ environment: "sandbox", verification: { id: "v", status: "failed" } }) }] });
  await host.shows("Failed");
  await host.bridge.sendToolCancelled({ reason: "user action" });
  await host.shows("Cancelled", "may have been started all the same");
  await host.judge("cancelled");
}
