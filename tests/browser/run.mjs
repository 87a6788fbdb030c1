#!/usr/bin/env node
// Drives Chromium over the approval page and the card of a built server, a line for each check.
//
//     run.mjs target/debug/fintecture-mcp [FOLDER]          # after setup.sh; FOLDER gets pictures of every state
//
// Exit 1: a check failed.
import { mkdirSync } from "node:fs";
import { resolve } from "node:path";
import { Servers } from "./servers.mjs";
import { Visitor, launch } from "./visitor.mjs";
import * as states from "./states.mjs";
import * as people from "./people.mjs";
import * as hostile from "./hostile.mjs";
import * as foreign from "./foreign.mjs";
import * as signIn from "./sign_in.mjs";
import * as card from "./card.mjs";
import * as cardDoubts from "./card_doubts.mjs";
import * as cardHostile from "./card_hostile.mjs";

const AT_ONCE = 3;
const [binary, shots] = process.argv.slice(2);
if (!binary) throw new Error("run.mjs SERVER [FOLDER]");
if (shots) mkdirSync(shots, { recursive: true });

const checks = Object.entries({ ...hostile, ...foreign, ...people, ...signIn, ...card, ...cardDoubts, ...cardHostile, ...states });
const only = process.env.ONLY?.split(",");
let failed = 0;

/** Does one check, with servers and a browser of its own. */
async function run(name, check) {
  const servers = new Servers(resolve(binary));
  const browsers = [];
  const browser = async (hosts) => {
    browsers.push(await launch(hosts));
    return browsers.at(-1);
  };
  /** Each visitor has a profile of its own. */
  const visitor = async (how) => Visitor.of(browsers[0] ?? (await browser()), shots, how);
  const started = Date.now();
  try {
    await check({ servers, browser, visitor });
    console.log(`ok   ${name} ${((Date.now() - started) / 1000).toFixed(1)} s`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL ${name}\n${error.stack}\nthe servers said:\n${servers.logs()}`);
  } finally {
    await Promise.allSettled(browsers.map((each) => each.close()));
    await servers.end();
  }
}

const queue = checks.filter(([name]) => !only || only.includes(name));
const worker = async () => {
  for (let next = queue.shift(); next; next = queue.shift()) await run(...next);
};
await Promise.all(Array.from({ length: AT_ONCE }, worker));
console.log(`${failed} failed`);
process.exit(failed ? 1 : 0);
