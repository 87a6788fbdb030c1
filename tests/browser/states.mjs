// Every state of the page, looked at and judged: how a person proves to be one, what waits, and each end.
import assert from "node:assert/strict";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CODE, account, accounts, customer, verification } from "./servers.mjs";

/** From the code to the sent write: the whole way, in each environment. */
export async function approve({ servers, visitor }) {
  const upstream = await servers.simulator();
  for (const [environment, banner] of [
    ["simulator", "SIMULATOR\nEverything is made up, and nothing leaves this computer."],
    ["sandbox", "SANDBOX\nFintecture’s test environment: no real customer, no real bank account."],
    ["production", "PRODUCTION\nReal customers and real bank accounts."],
  ]) {
    const { agent } = await servers.http(environment, environment === "simulator" ? {} : { upstream });
    const write = account({ holder_name: `Ada Byron, ${environment}` });
    const [page, before] = [await agent.page(write), await accounts(agent)];
    const person = await visitor();
    await person.open(page);
    await person.shows("Show that you are a person", 1);
    assert.doesNotMatch(await person.text(), /Byron|FR76|Attach/);
    if (environment === "production") await person.judge("bare-code");
    assert.equal((await person.type("not the approval code")).status(), 403);
    assert.match(await person.text(), /Not accepted: that is not the approval code.*4 more wrong codes/);
    if (environment === "production") await person.judge("wrong-code");

    assert.equal((await person.type(CODE)).status(), 200);
    assert.equal(person.tab.url(), page);
    await person.shows("Approve or decline: Attach a bank account", 2);
    const text = await person.text();
    for (const shown of [banner, `“Ada Byron, ${environment}”`, "“FR76 3000 6000 0112 3456 7890 189”", "“AGRIFRPP”", "“EUR”"]) {
      assert.ok(text.includes(shown), `${shown} in ${text}`);
    }
    const button = await person.tab.$eval("button.approve", ({ innerText }) => innerText);
    assert.equal(button, `Approve: send exactly this to ${environment.toUpperCase()}, once`);
    const [holder, onFile] = await boxes(person.tab, ["Account holder", "Customer on file"]);
    assert.ok(holder.y === onFile.y && holder.right <= onFile.x, "holder and customer stand side by side");
    await person.judge(`waiting-account-${environment}`);

    await person.press("approve");
    await person.shows("Approved");
    if (environment === "production") await person.judge("approved");
    assert.equal(await accounts(agent), before, "a press alone sends nothing");
    await agent.good(write);
    assert.equal(await accounts(agent), before + 1);
    await person.tab.reload();
    await person.shows("Already used");
    if (environment === "production") await person.judge("used");
  }
}

/** Where the boxes with these labels stand. */
function boxes(tab, labels) {
  return tab.$$eval("dl > div", (all, wanted) => wanted.map((label) => {
    const { x, y, right } = all.find((box) => box.innerText.startsWith(label)).getBoundingClientRect();
    return { x, y, right };
  }), labels);
}

export async function decline({ servers, visitor }) {
  const { agent } = await servers.http("production", { upstream: await servers.simulator() });
  const [write, before] = [account(), await accounts(agent)];
  const person = await visitor();
  await person.prove(await agent.page(write), CODE);
  await person.press("decline");
  await person.shows("Declined");
  await person.judge("declined");
  await agent.error(write, "declined");
  assert.equal(await accounts(agent), before);
}

/** The longest and the shortest questions there are. */
export async function otherWrites({ servers, visitor }) {
  const { agent } = await servers.http("simulator");
  const everything = customer({
    first_name: "Wolfeschlegelsteinhausenbergerdorff".repeat(7),
    last_name: "عائشة 山田 Zoë O’Connor-Łukasiewicz",
    company_name: "Société Générale d’Exploitation des Établissements Dupont & Fils, S.A.R.L. au capital de 10 000 €",
    phone: "+33612345678",
    external_id: "x".repeat(255),
  });
  for (const [name, write] of [["customer", customer()], ["customer-long", everything], ["verification", verification()]]) {
    const person = await visitor();
    await person.prove(await agent.page(write), CODE);
    await person.judge(`waiting-${name}`);
    await person.press("approve");
    await agent.good(write);
  }
}

/** The window that the server opens by itself, beside stdio. */
export async function window({ servers, visitor }) {
  for (const [name, variables] of [["window", {}], ["both-ways", { FINTECTURE_APPROVAL_CODE: CODE }]]) {
    const { script, address } = servers.browser();
    const agent = await servers.stdio("simulator", { variables: { BROWSER: script, ...variables } });
    const page = await agent.page(account());
    const [stranger, person] = [await visitor(), await visitor()];
    await stranger.open(page);
    await stranger.shows("Show that you are a person", Object.keys(variables).length);
    await stranger.judge(`bare-${name}`);

    await person.open(await address);
    assert.equal(person.tab.url(), page, "the address goes on without its key");
    await person.shows("Approve or decline", 2);
    await stranger.open(await address);
    assert.equal(stranger.tab.url(), page);
    await stranger.shows("Show that you are a person", Object.keys(variables).length);
    await stranger.judge(`key-used-twice-${name}`);
    await person.press("approve");
    await agent.good(account());
    await person.tab.reload();
    await person.shows("Already used");
  }
}

/** The clock of the server's process goes on by ten minutes, for it alone (libfaketime). */
export async function expire({ servers, visitor }) {
  const clock = join(servers.folder(), "clock");
  const at = (seconds) => writeFileSync(clock, `+${seconds}\n`);
  at(0);
  const variables = { LD_PRELOAD: faketime(), FAKETIME_TIMESTAMP_FILE: clock, FAKETIME_NO_CACHE: "1" };
  const { agent } = await servers.http("production", { upstream: await servers.simulator(), variables });
  const [write, before] = [account(), await accounts(agent)];
  const page = await agent.page(write);
  const [person, late, stranger] = [await visitor(), await visitor(), await visitor()];
  for (const each of [person, late]) await each.prove(page, CODE);
  at(590);
  await person.tab.reload();
  await person.shows("Approve or decline", 2);
  at(600);
  await person.tab.reload();
  await person.shows("Expired");
  await person.judge("expired");
  assert.equal((await late.press("approve")).status(), 409);
  await late.shows("Expired");
  await stranger.open(page);
  await stranger.shows("Nothing waits here");
  const afresh = await agent.page(write);
  assert.notEqual(afresh, page);

  // Approved, but the agent called too late.
  await person.prove(afresh, CODE);
  await person.press("approve");
  at(1200);
  await person.tab.reload();
  await person.shows("Expired");
  assert.notEqual(await agent.page(write), afresh);
  assert.equal(await accounts(agent), before);
}

function faketime() {
  for (const base of ["/usr/lib", "/usr/lib64", "/usr/local/lib"].filter(existsSync)) {
    for (const folder of ["", ...readdirSync(base)]) {
      const library = join(base, folder, "faketime/libfaketime.so.1");
      if (existsSync(library)) return library;
    }
  }
  throw new Error("libfaketime is not installed");
}

/** Wrong codes end an approval, then all of them for an hour; what never was looks like what is over. */
export async function wrongCodes({ servers, visitor }) {
  const { agent, origin } = await servers.http("simulator");
  const person = await visitor();
  await person.prove(await agent.page(account()), CODE);
  const guesser = await visitor();
  for (let n = 0; n < 4; n++) {
    const page = await agent.page(account(n ? { holder_name: `Ada ${n}` } : {}));
    await guesser.open(page);
    for (let guess = 1; guess <= 5; guess++) await guesser.type(`guess number ${guess}`);
    await guesser.shows("Ended after wrong codes");
    if (n) continue;
    await guesser.judge("locked-for-who-guessed");
    await person.tab.reload();
    await person.shows("Ended after wrong codes");
    await person.judge("locked");
    await guesser.open(page);
    await guesser.shows("Nothing waits here");
  }
  const page = await agent.page(account());
  await guesser.open(page);
  assert.equal((await guesser.type(CODE)).status(), 429);
  assert.match(await guesser.text(), /Try again in (60|59) minutes/);
  await guesser.judge("codes-closed");

  assert.equal((await guesser.open(`${origin}/approvals/${"A".repeat(22)}`)).status(), 404);
  await guesser.shows("Nothing waits here");
  await guesser.judge("nothing-waits-here");
}

/** Declined in the client's own window while the page is open. */
export async function withdraw({ servers, visitor }) {
  const person = await visitor();
  const agent = await servers.stdio("simulator", {
    variables: { FINTECTURE_APPROVAL_CODE: CODE },
    capabilities: { elicitation: { url: {} } },
    answer: async ({ method, params }) => {
      assert.equal(method, "elicitation/create");
      await person.prove(params.url, CODE);
      return { action: "decline" };
    },
  });
  const before = await accounts(agent);
  await agent.error(account(), "declined");
  await person.press("approve");
  await person.shows("Answered elsewhere");
  await person.judge("withdrawn");
  assert.equal(await accounts(agent), before);
}
