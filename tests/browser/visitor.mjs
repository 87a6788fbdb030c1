// A person's browser: Chromium, headless, watched for what the page must never do.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const cache = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
const home = process.env.BROWSER_HOME || join(cache, "fintecture-mcp-ci/browser");
const installed = createRequire(join(home, "package.json"));
/** Where a package that setup.sh installed is, to be imported. */
export const pathOf = (name) => pathToFileURL(installed.resolve(name)).href;
const puppeteer = installed("puppeteer-core");
const AXE = readFileSync(installed.resolve("axe-core/axe.min.js"), "utf8");

const DESKTOP = { width: 1000, height: 800 };
export const SCHEMES = ["light", "dark"];
/** Sizes at which nothing may have to be scrolled sideways; 200 % zoom halves the width of a window of 1280. */
const SIZES = {
  "desktop": DESKTOP,
  "zoom-200": { width: 640, height: 400, deviceScaleFactor: 2 },
  "320": { width: 320, height: 640, deviceScaleFactor: 2 },
};

function program() {
  const names = [process.env.CHROMIUM, "chromium", "google-chrome"].filter(Boolean);
  for (const name of names) {
    try {
      return execFileSync("/bin/sh", ["-c", 'command -v "$0"', name], { encoding: "utf8" }).trim();
    } catch {} // The next one may be there.
  }
  throw new Error(`none of ${names.join(", ")} is installed`);
}

/** Chromium, where `hosts` says which names stand for which addresses (no other name is looked up). */
export function launch(hosts = {}) {
  const rules = Object.entries(hosts).map(([name, address]) => `MAP ${name} ${address}`);
  return puppeteer.launch({
    executablePath: program(),
    pipe: true,
    protocolTimeout: 30_000,
    args: [
      "--no-proxy-server",
      `--host-resolver-rules=${[...rules, "MAP * ~NOTFOUND", "EXCLUDE 127.0.0.1"].join(", ")}`,
      ...(process.getuid() === 0 ? ["--no-sandbox"] : []), // Chromium's own does not work as root.
    ],
  });
}

/** One person: a profile of its own, one tab, and notes of what went wrong in it. */
export class Visitor {
  #shots;

  /** `abroad` are origins of others that this person is sent to and may go to. */
  static async of(browser, shots, { script = true, abroad = [] } = {}) {
    const visitor = new Visitor();
    visitor.#shots = shots;
    visitor.abroad = abroad;
    visitor.context = await browser.createBrowserContext();
    visitor.trouble = [];
    visitor.tab = await visitor.newTab(script);
    return visitor;
  }

  async newTab(script = true) {
    const tab = await this.context.newPage();
    await tab.setViewport(DESKTOP);
    await tab.setJavaScriptEnabled(script);
    tab.on("dialog", (dialog) => {
      this.trouble.push(`dialog: ${dialog.message()}`);
      dialog.dismiss();
    });
    tab.on("request", (request) => {
      const [from, to] = [tab.url(), request.url()].map((url) => new URL(url).origin);
      const isAllowed = request.isNavigationRequest() && [from, to].some((origin) => this.abroad.includes(origin));
      if (from !== "null" && from !== to && !isAllowed) this.trouble.push(`request to ${to}`);
    });
    const session = await tab.createCDPSession();
    session.on("Log.entryAdded", ({ entry }) => {
      const isPolicy = entry.source === "security" || /Content.Security.Policy/i.test(entry.text);
      if (isPolicy && !entry.text.includes("/favicon.ico")) this.trouble.push(entry.text); // The browser's own.
    });
    session.on("Audits.issueAdded", ({ issue }) => {
      const policy = issue.details.contentSecurityPolicyIssueDetails;
      if (policy && !policy.blockedURL?.endsWith("/favicon.ico")) this.trouble.push(JSON.stringify(issue));
    });
    await session.send("Log.enable");
    await session.send("Audits.enable");
    return tab;
  }

  async open(address) {
    return this.tab.goto(address);
  }

  /** Types the code, or what else is asked for, and sends it. The answer is the page that stands there in the end. */
  async type(text, field = "code") {
    await this.tab.focus(`input[name=${field}]`);
    await this.tab.keyboard.sendCharacter(text); // At once, as if pasted.
    return this.leave(() => this.tab.click("button.approve"));
  }

  async prove(address, code) {
    await this.open(address);
    await this.type(code);
    assert.ok(await this.tab.$("button.decline"), `buttons at ${address}: ${await this.text()}`);
  }

  /** Presses approve or decline. */
  press(decision) {
    return this.leave(() => this.tab.click(`button.${decision}`));
  }

  /** Does what leads to another page, and waits for that page. */
  async leave(act) {
    await this.tab.bringToFront(); // Chromium lets clicks in a tab behind another one wait.
    const [response] = await Promise.all([this.tab.waitForNavigation(), act()]);
    return response;
  }

  text() {
    return this.tab.evaluate("document.body.innerText");
  }

  heading() {
    return this.tab.$eval("h1", (heading) => heading.innerText);
  }

  async shows(heading, buttons = 0) {
    assert.ok((await this.heading()).startsWith(heading), `${heading}: ${await this.text()}`);
    assert.equal((await this.tab.$$("main button")).length, buttons, `buttons of ${heading}`);
  }

  /**
   * Judges the page that is open, or a frame of it, in light and dark and in every size; leaves it as it was, and a
   * picture of each. `settled` waits until a new size has had its effects.
   */
  async judge(name, page = this.tab, settled = async () => {}) {
    for (const scheme of SCHEMES) {
      await this.tab.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
      for (const [size, viewport] of Object.entries(SIZES)) {
        await this.tab.setViewport(viewport);
        await settled();
        const where = `${name}-${size}-${scheme}`;
        await this.picture(where);
        await this.fitsSideways(where, page);
        if (size !== "zoom-200") await this.#axe(where, page);
      }
    }
    await this.tab.setViewport(DESKTOP);
    // Larger text alone, as in the browser's settings.
    await page.evaluate('document.documentElement.style.fontSize = "200%"');
    await this.fitsSideways(`${name} with larger text`, page);
    await page.evaluate('document.documentElement.style.fontSize = ""');
    await this.tab.emulateMediaFeatures([]);
    assert.equal(this.trouble.join("\n"), "", name);
  }

  async picture(name) {
    if (this.#shots) await this.tab.screenshot({ path: join(this.#shots, `${name}.png`), fullPage: true });
  }

  async fitsSideways(where, page = this.tab) {
    const root = "document.documentElement";
    const [shown, needed] = await page.evaluate(`[${root}.clientWidth, ${root}.scrollWidth]`);
    assert.ok(needed <= shown, `${where}: ${needed} of ${shown} pixels wide`);
  }

  async #axe(where, page) {
    await page.evaluate(`window.axe || (() => { ${AXE} })()`);
    const options = JSON.stringify({
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
      resultTypes: ["violations", "incomplete"],
    });
    const { violations, incomplete } = await page.evaluate(`axe.run(${options})`);
    // Of text that wraps axe cannot tell the contrast; the same colours stand in lines that do not.
    const unsure = incomplete.filter(({ id }) => id !== "color-contrast");
    const told = [...violations, ...unsure].map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html)]);
    assert.equal(told.length, 0, `${where}: ${JSON.stringify(told)}`);
  }
}
