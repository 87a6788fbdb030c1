// People who sign in to approve: with a token of the file, and at a real authorization server on another site.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Agent, account, accounts } from "./servers.mjs";

const RESOURCE = "https://mcp.example.com/mcp"; // What tokens are for.
const BY_OTHERS = ["--confirm-writes", "always", "--approvers", "other"];
const NO_CODE = { FINTECTURE_APPROVAL_CODE: undefined };

/** A server that takes the tokens of this issuer, and is a client there; its agent shows `token`. */
function behind({ issuer, clients: { pages } }, servers, token) {
  const oauth = ["--oauth-issuer", issuer, "--oauth-audience", RESOURCE, "--oauth-client-id", pages.id];
  const variables = { ...NO_CODE, FINTECTURE_OAUTH_CLIENT_SECRET: pages.secret };
  return servers.http("simulator", { flags: [...BY_OTHERS, ...oauth], variables, token });
}

/** The whole way over the issuer, for those who may decide and those who may not. */
export async function atTheIssuer({ servers, browser, visitor }) {
  const issuer = await servers.issuer();
  const { agent, origin } = await behind(issuer, servers, await issuer.adasToken(RESOURCE));
  const [write, before] = [account(), await accounts(agent)];
  const page = await agent.page(write);
  await browser({ localhost: "127.0.0.1" });
  const someone = () => visitor({ abroad: [issuer.origin] });
  /** Goes to the issuer by the link on the page, says who they are there, and is sent back. */
  const signIn = async (person, who) => {
    await person.leave(() => person.tab.click("main a.button"));
    assert.equal(new URL(person.tab.url()).origin, issuer.origin);
    await person.leave(() => person.tab.click(`button[value=${who}]`));
    // The hop goes on by itself.
    await person.tab.waitForFunction(() => document.querySelector("h1")?.innerText !== "Signing in");
  };

  const bob = await someone();
  await bob.open(page);
  await bob.shows("Sign in to approve");
  assert.doesNotMatch(await bob.text(), /Byron|FR76|Attach/);
  await bob.judge("sign-in-issuer");
  await signIn(bob, "nobody");
  await bob.shows("Sign in to approve");
  assert.match(await bob.text(), /Not signed in: the issuer did not sign you in/);
  await bob.judge("sign-in-refused");

  // Ada's agent asks: she is the one who may not decide.
  const ada = await someone();
  await ada.open(page);
  await signIn(ada, "ada");
  await ada.shows("Another person must decide");
  assert.doesNotMatch(await ada.text(), /Byron|FR76|Attach/);
  await ada.judge("not-theirs");
  await ada.open(`${origin}/approvals`);
  await ada.shows("Waiting for approval", 1);
  assert.match(await ada.text(), /Nothing waits for you/);
  await ada.judge("list-empty");

  // Eve's token holds no approvals:write.
  const eve = await someone();
  await eve.open(page);
  await signIn(eve, "eve");
  assert.match(await eve.heading(), /may not approve/i);
  assert.doesNotMatch(await eve.text(), /Byron|FR76|Attach/);
  await eve.judge("may-not-approve");
  await eve.open(`${origin}/approvals`);
  await eve.shows("Sign in to approve");
  await agent.error(write, "confirmation_required");

  await bob.open(page);
  await signIn(bob, "bob");
  assert.equal(bob.tab.url(), page, "the way back leads to what he came for");
  await bob.shows("Approve or decline: Attach a bank account", 2);
  assert.match(await bob.text(), /“oauth:user#[\w-]{22}” asks to do this/);
  await bob.judge("waiting-signed-in");
  await bob.open(`${origin}/approvals`);
  await bob.shows("Waiting for approval", 1);
  assert.match(await bob.text(), /Attach a bank account/);
  assert.doesNotMatch(await bob.text(), /Byron|FR76/);
  await bob.judge("list");
  await bob.leave(() => bob.tab.click("ul.waits a"));
  assert.equal(bob.tab.url(), page);
  assert.equal(await accounts(agent), before);
  await bob.press("approve");
  await bob.shows("Approved");

  // Another principal's call is not what he approved.
  const other = await Agent.overHttp(origin, await issuer.agentToken(RESOURCE));
  assert.notEqual(await other.page(write), page);
  await agent.good(write);
  assert.equal(await accounts(agent), before + 1);
  // Of that one Ada may decide: it is not hers.
  await ada.open(`${origin}/approvals`);
  assert.match(await ada.text(), /“oauth:client:agent” asks/);

  await bob.open(`${origin}/approvals`);
  await bob.press("decline"); // Sign out
  await bob.shows("Sign in to approve");
  for (const person of [ada, bob, eve]) assert.deepEqual(person.trouble, []);
  assert.doesNotMatch(servers.logs(), /eyJ|canary|Byron|FR76/, "what no log may hold");
}

/** The page between the issuer and ours, held still. */
export async function hop({ servers, browser, visitor }) {
  const issuer = await servers.issuer();
  const { origin } = await behind(issuer, servers, await issuer.agentToken(RESOURCE));
  await browser({ localhost: "127.0.0.1" });
  const person = await visitor();
  let isHeld = true;
  await person.tab.setRequestInterception(true);
  person.tab.on("request", (request) => {
    if (isHeld && request.url().includes("here=1")) request.respond({ status: 204 }); // No content: the page stays.
    else request.continue();
  });
  await person.open(`${origin}/approvals/callback?code=of-another&state=of-another`);
  await person.shows("Signing in");
  await person.judge("hop");
  // A way back that this browser did not begin.
  isHeld = false;
  await person.leave(() => person.tab.click("main a"));
  await person.shows("Sign in to approve");
  assert.match(await person.text(), /this browser has no sign-in under way/);
  assert.deepEqual(person.trouble, []);
}

/** With a token, by somebody without script. */
export async function withAToken({ servers, visitor }) {
  const may = "customers:write,bank-accounts:write,verifications:write";
  const [boss, bot, both] = [["boss", "approvals:write"], ["bot", may], ["both", `${may},approvals:write`]]
    .map(([name, scopes]) => servers.principal(name, scopes));
  const file = join(servers.folder(), "tokens");
  writeFileSync(file, [boss, bot, both].map(({ line }) => `${line}\n`).join(""), { mode: 0o600 });
  const flags = [...BY_OTHERS, "--auth-tokens", file];
  const { agent, origin } = await servers.http("simulator", { flags, variables: NO_CODE, token: both.token });
  const [write, before] = [account(), await accounts(agent)];
  const page = await agent.page(write);
  const person = await visitor();
  await person.open(page);
  await person.shows("Sign in to approve", 1);
  await person.judge("sign-in-token");
  assert.equal((await person.type("fmcp_made_up", "token")).status(), 403);
  assert.match(await person.text(), /Not signed in: nobody is known by that/);
  await person.judge("sign-in-token-wrong");
  assert.equal((await person.type(bot.token, "token")).status(), 403);
  assert.match(await person.heading(), /may not approve/i);

  const asker = await visitor();
  await asker.open(page);
  assert.equal((await asker.type(both.token, "token")).status(), 403);
  await asker.shows("Another person must decide");

  const quiet = await visitor({ script: false });
  await quiet.open(page);
  await quiet.type(boss.token, "token");
  assert.equal(quiet.tab.url(), page);
  await quiet.shows("Approve or decline: Attach a bank account", 2);
  await quiet.open(`${origin}/approvals`);
  await quiet.shows("Waiting for approval", 1);
  await quiet.leave(() => quiet.tab.click("ul.waits a"));
  await quiet.press("approve");
  await quiet.shows("Approved");
  await agent.good(write);
  assert.equal(await accounts(agent), before + 1);

  await person.open(`${origin}/approvals`);
  await person.type(boss.token, "token");
  await person.shows("Waiting for approval", 1);
  await person.judge("list-by-token");
  await person.press("decline"); // Sign out
  await person.shows("Sign in to approve", 1);
  for (const each of [person, asker, quiet]) assert.deepEqual(each.trouble, []);
  for (const { token } of [boss, bot, both]) assert.ok(!servers.logs().includes(token));
}
