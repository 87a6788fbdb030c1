// The card, and what may be taken for more than it is: a stale answer, another customer's, a status that nobody knows.
import assert from "node:assert/strict";
import { hosted } from "./host.mjs";
import { inTime } from "./servers.mjs";

const saying = (structuredContent) => ({ content: [{ type: "text", text: JSON.stringify(structuredContent) }], structuredContent });
const about = (id, status, over = {}) => ({ environment: "production", verification: { id, status }, ...over });
const nobody = () => Promise.reject(new Error("no"));

/** What was asked for about one customer comes when another one is shown. */
export async function cardKeepsCustomersApart(check) {
  const asked = new Map();
  const told = [];
  const answer = (params) => new Promise((resolve) => {
    asked.set(`${params.name} ${params.arguments.customer_id}`, resolve);
    for (const one of told) one();
  });
  const call = (key) => inTime(new Promise((resolve) => {
    const look = () => asked.has(key) && resolve(asked.get(key));
    told.push(look);
    look();
  }), key);
  const host = await hosted(check, { answer });
  await host.tells(about("ver_ada", "pending"), { action: "get", customer_id: "cus_ada" });
  const [lookAtAda, nameOfAda] = [await call("verify_identity cus_ada"), await call("manage_customers cus_ada")];

  await host.bridge.sendToolInput({ arguments: { action: "get", customer_id: "cus_bob" } });
  await host.shows("Waiting for the result");
  assert.doesNotMatch(await host.text(), /_ada|Pending|Production/);
  await host.bridge.sendToolResult(saying(about("ver_bob", "pending")));
  const lookAtBob = await call("verify_identity cus_bob");
  lookAtAda(saying(about("ver_ada", "verified")));
  nameOfAda(saying({ environment: "production", customer: { id: "cus_ada", first_name: "Ada" } }));
  (await call("manage_customers cus_bob"))(saying({ environment: "production", customer: { id: "cus_bob", first_name: "Bob" } }));
  await host.shows("ver_bob", "Bob", "Pending", "cus_bob", "looks again by itself");
  assert.doesNotMatch(await host.text(), /Ada|_ada|Verified\n/);

  // A result without arguments is not the customer's of the arguments before; nor does the look go on.
  await host.bridge.sendToolResult(saying(about("ver_eve", "failed")));
  await host.shows("ver_eve", "Failed");
  lookAtBob(saying(about("ver_bob", "verified")));
  await host.asks("ping");
  assert.doesNotMatch(await host.text(), /[Bb]ob|Verified\n/);
  await host.bridge.sendToolInput({ arguments: { action: "start", customer_id: "cus_ada" } });
  await host.bridge.sendToolCancelled({ reason: "user action" });
  await host.shows("Cancelled", "may have been started all the same");
  assert.doesNotMatch(await host.text(), /ver_eve|Production/);
}

/** A result that comes before its arguments is shown, and with them once they are there. */
export async function cardTakesArgumentsLate(check) {
  const host = await hosted(check, { answer: nobody });
  await host.bridge.sendToolResult(saying(about("ver_1", "failed")));
  await host.shows("ver_1");
  await host.bridge.sendToolInput({ arguments: { action: "get", customer_id: "cus_1" } });
  await host.shows("ver_1", "cus_1");
}

/** Only the documented word is a verdict, and only the environment that was told counts. */
export async function cardTakesNothingForMore(check) {
  const answers = [];
  const answer = ({ name }) => name === "verify_identity" ? saying(answers.shift()) : nobody();
  const host = await hosted(check, { answer });
  const args = { action: "get", customer_id: "cus_1" };
  for (const status of ["Verified", "verified ", "VERIFIED", ["verified"]]) {
    await host.tells(about("ver_1", status), args);
    await host.shows("Unknown status: ", "it proves nothing here");
    assert.equal(await host.card.$(".status.verified"), null);
  }
  await host.tells({ environment: "sandbox", verification: { id: "ver_2", verified_at: "2099-01-01T00:00:00Z" } }, args);
  await host.shows("No status was sent", "2099-01-01T00:00:00Z", "Match score\nnot sent");
  await host.tells({ verification: { id: "ver_3", status: "verified" } }, args);
  await host.shows("Environment: not sent");

  // What a pending one became; and an answer of another environment.
  answers.push(about("ver_4", "on_hold"));
  await host.tells(about("ver_4", "pending"), args);
  await host.shows("Not pending any more, with a status that is unknown: on_hold.");
  answers.push(about("ver_5", "verified", { environment: "simulator" }));
  await host.tells(about("ver_5", "pending"), args);
  await host.shows("the answer was of another environment", "Pending", "Production");
  await host.tells({ environment: "production", verification: { id: "ver_6", status: "verified", provider_id: "b…k" } }, args);
  await host.shows("may stand for hidden characters");
}

/** Numbers as they came: by then many a host has made 1 of 1.0, and nothing of 1e400. */
export async function cardKeepsDigits(check) {
  const host = await hosted(check, { answer: nobody });
  const scores = ["0", "1.0", "0.980", "1e400", "-0.0", "12345678901234567890", '"0.98"', "0.5"];
  for (const score of scores) {
    const json = `{"environment":"sandbox","verification":{"id":"ver_1","status":"verified","match_score":${score},"more":{"a":[${score}]}}}`;
    await host.bridge.sendToolResult({ content: [{ type: "text", text: json }], structuredContent: JSON.parse(json) });
    await host.shows(`Match score\n${score.replaceAll('"', "")}\n`, `a\n[${score}]`);
  }
  // A text that says something else is not the result.
  const other = { ...saying(about("ver_1", "verified", {})), structuredContent: about("ver_1", "failed") };
  await host.bridge.sendToolResult(other);
  await host.shows("Failed");
}

/** What is not shown is counted. */
export async function cardCountsWhatItLeavesOut(check) {
  const host = await hosted(check);
  const all = Array.from({ length: 300 }, (_, n) => ({ id: `ver_${n}`, status: n < 250 ? "verified" : n < 299 ? "failed" : "odd" }));
  await host.tells({ environment: "sandbox", dossier: { customer_id: "cus_1", contradictions: [], gaps: [], verifications: all } }, {});
  await host.shows("Verifications (300, the first 50 are shown)", "Of all: 250 × Verified, 49 × Failed, 1 × Unknown status.", "250 more");
  assert.equal((await host.card.$$("section.record .status")).length, 50);
  await host.judge("dossier-of-many");
}
