// How people go about it: without script, by keyboard alone, back and again, in two tabs at once.
import assert from "node:assert/strict";
import { CODE, account, accounts } from "./servers.mjs";

export async function withoutScript({ servers, visitor }) {
  const { agent } = await servers.http("production", { upstream: await servers.simulator() });
  const before = await accounts(agent);
  const person = await visitor({ script: false });
  for (const [decision, heading, then] of [
    ["decline", "Declined", () => agent.error(account(), "declined")],
    ["approve", "Approved", () => agent.good(account())],
  ]) {
    await person.open(await agent.page(account()));
    await person.type("not the approval code");
    await person.shows("Show that you are a person", 1);
    await person.type(CODE);
    await person.shows("Approve or decline", 2);
    await person.press(decision);
    await person.shows(heading);
    await then();
  }
  await person.tab.reload();
  await person.shows("Already used");
  assert.equal(await accounts(agent), before + 1);
  assert.deepEqual(person.trouble, []);
}

/** Tab, typing and Enter; what holds the focus can be seen. */
export async function byKeyboard({ servers, visitor }) {
  const { agent } = await servers.http("production", { upstream: await servers.simulator() });
  for (const [decision, heading] of [["decline", "Declined"], ["approve", "Approved"]]) {
    const person = await visitor();
    const { keyboard } = person.tab;
    await person.open(await agent.page(account()));
    await tabTo(person.tab, "input[name=code]");
    await keyboard.type(CODE);
    await person.leave(() => keyboard.press("Enter"));
    await person.shows("Approve or decline", 2);
    await tabTo(person.tab, `button.${decision}`);
    await person.picture(`focus-${decision}`);
    await person.leave(() => keyboard.press("Enter"));
    await person.shows(heading);
    if (decision === "decline") await agent.error(account(), "declined");
  }
  await agent.good(account());
}

async function tabTo(tab, wanted) {
  for (let presses = 0; presses < 5; presses++) {
    await tab.keyboard.press("Tab");
    const outline = await tab.evaluate(`document.activeElement.matches("${wanted}")
      && getComputedStyle(document.activeElement).outlineStyle + parseFloat(getComputedStyle(document.activeElement).outlineWidth)`);
    if (!outline) continue;
    assert.match(outline, /^solid[2-9]/, `the focus on ${wanted} is seen`);
    return;
  }
  assert.fail(`Tab does not come to ${wanted}`);
}

/** In two tabs that were both proven, the newer proof counts; the older tab is told to look again. */
export async function proveTwice({ servers, visitor }) {
  const { agent } = await servers.http("production", { upstream: await servers.simulator() });
  const page = await agent.page(account());
  const person = await visitor();
  await person.open(page);
  const [first, second] = [person.tab, await person.newTab()];
  await second.goto(page);
  await person.type(CODE);
  await person.shows("Approve or decline", 2);
  person.tab = second;
  await person.type(CODE);
  person.tab = first;
  assert.equal((await person.press("approve")).status(), 403);
  await person.shows("Not done");
  await person.judge("not-done");
  await agent.error(account(), "confirmation_required");
  await person.leave(() => first.click("main a"));
  assert.equal(first.url(), page);
  await person.press("approve");
  await agent.good(account());
}

/** A decision is made once, however often and wherever it is pressed. */
export async function backAndAgain({ servers, visitor }) {
  const { agent } = await servers.http("production", { upstream: await servers.simulator() });
  const [write, before] = [account(), await accounts(agent)];
  const page = await agent.page(write);
  const person = await visitor();
  await person.prove(page, CODE);
  const [first, second] = [person.tab, await person.newTab()];
  await second.goto(page);
  await person.press("approve");
  await person.shows("Approved");

  // The other tab shows the buttons still.
  person.tab = second;
  await person.shows("Approve or decline", 2);
  assert.equal((await person.press("decline")).status(), 409);
  await person.shows("Approved");
  await agent.good(write);
  assert.equal(await accounts(agent), before + 1);

  // Back to where the buttons were: they are gone.
  person.tab = first;
  await first.goBack();
  await person.shows("Already used");
  assert.equal((await agent.good(write)).repeated, true);
  assert.equal(await accounts(agent), before + 1);

  // After Decline, too: the form of a page that was kept decides nothing.
  const other = account({ iban: "DE89370400440532013000" });
  person.tab = await person.newTab();
  await person.prove(await agent.page(other), CODE);
  const kept = await person.tab.$eval("input[name=token]", (input) => input.value);
  await person.press("decline");
  await person.tab.goBack();
  await person.shows("Declined");
  await person.tab.evaluate((token) => {
    const form = document.createElement("form");
    form.method = "post";
    for (const [name, value] of [["token", token], ["decision", "approve"]]) {
      const input = Object.assign(document.createElement("input"), { name, value });
      form.append(input);
    }
    document.body.append(form);
  }, kept);
  const again = await person.leave(() => person.tab.$eval("form", (form) => form.submit()));
  assert.equal(again.status(), 409);
  await person.shows("Declined");
  await agent.error(other, "declined");
  assert.equal(await accounts(agent), before + 1);
  assert.deepEqual(person.trouble, []);
}
