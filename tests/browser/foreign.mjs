// Pages of others: from another port, another name, another site, with a form, a script, a frame, a window, a cookie.
import assert from "node:assert/strict";
import { CODE, account, accounts, inTime } from "./servers.mjs";

const page = (html, headers) => ({ headers, html: `<!doctype html><title>A prize</title>${html}` });

/** A page that sends a form by itself. */
function form(action, fields) {
  const inputs = Object.entries(fields).map(([name, value]) => `<input type="hidden" name="${name}" value="${value}">`);
  return page(`<form method="post" action="${action}">${inputs.join("")}</form><script>document.forms[0].submit()</script>`);
}

/** A page that sends the same by script, and says so in its title. */
function script(action, fields) {
  const options = `{method: "POST", mode: "no-cors", credentials: "include", body: new URLSearchParams(${JSON.stringify(fields)})}`;
  return page(`<script>fetch("${action}", ${options}).finally(() => document.title = "sent")</script>`);
}

/** A server with a write that waits, a person who has proven to be one, and a server of somebody else's. */
async function scene({ servers, browser, visitor }) {
  const { agent, origin } = await servers.http("production", { upstream: await servers.simulator() });
  const pages = {};
  const evil = await servers.site(pages);
  const own = new URL(origin).host;
  const localhost = own.replace("127.0.0.1", "localhost");
  // localhost with the very port of the page is another server, as where that one listens on [::1].
  await browser({ [localhost]: `127.0.0.1:${evil.port}`, localhost: "127.0.0.1", "evil.example": "127.0.0.1" });
  const [write, before] = [account(), await accounts(agent)];
  const address = await agent.page(write);
  const person = await visitor();
  await person.prove(address, CODE);
  const token = await person.tab.$eval("input[name=token]", (input) => input.value);
  const origins = {
    "another port": evil.origin,
    "localhost, the same port": `http://${localhost}`,
    "localhost, another port": `http://localhost:${evil.port}`,
    "another site": `http://evil.example:${evil.port}`,
  };
  /** It waits still, nothing was sent, and its own page decides. */
  const holds = async () => {
    assert.equal(await agent.page(write), address);
    assert.equal(await accounts(agent), before);
    await person.tab.bringToFront();
    await person.open(address);
    await person.press("approve");
    await person.shows("Approved");
    await agent.good(write);
    assert.equal(await accounts(agent), before + 1);
  };
  return { agent, address, person, token, pages, evil, origins, holds };
}

/** The next POST of a tab: its status, and whether cookies went with it. */
async function posted(tab, act) {
  const session = await tab.createCDPSession();
  await session.send("Network.enable");
  const [headers, statuses] = [new Map(), new Map()];
  const answered = new Promise((resolve) => {
    const posts = new Set();
    const look = (id) => posts.has(id) && headers.has(id) && statuses.has(id)
      && resolve({ status: statuses.get(id), cookie: headers.get(id).Cookie, origin: headers.get(id).Origin });
    session.on("Network.requestWillBeSent", ({ requestId, request }) => request.method === "POST" && look(posts.add(requestId) && requestId));
    session.on("Network.requestWillBeSentExtraInfo", ({ requestId, headers: sent }) => look(headers.set(requestId, sent) && requestId));
    session.on("Network.responseReceivedExtraInfo", ({ requestId, statusCode }) => look(statuses.set(requestId, statusCode) && requestId));
  });
  await act();
  return inTime(answered, "answer to a POST");
}

/** However good its form: with the page's own token, stolen, and with the person's cookie. */
export async function noFormOfOthersDecides(stage) {
  const { agent, address, person, token, pages, origins, holds } = await scene(stage);
  const other = await agent.page(account({ iban: "DE89370400440532013000" }));
  for (const [kind, send] of Object.entries({ form, script })) {
    pages[`/${kind}/guess`] = send(address, { token: "guess", decision: "approve" });
    pages[`/${kind}/approve`] = send(address, { token, decision: "approve" });
    pages[`/${kind}/decline`] = send(address, { token, decision: "decline" });
    pages[`/${kind}/code`] = send(`${other}/code`, { code: CODE });
  }
  for (const [from, origin] of Object.entries(origins)) {
    for (const path of Object.keys(pages)) {
      const tab = await person.newTab();
      const { status, cookie, ...sent } = await posted(tab, () => tab.goto(origin + path));
      assert.equal(status, 403, `${from}, ${path}`);
      assert.equal(sent.origin, origin);
      // Another port is the same site, so that the cookie goes along: there the origin alone protects.
      const carries = from === "another port" && !path.endsWith("/code");
      assert.equal(Boolean(cookie), carries, `${from}, ${path}: ${cookie}`);
      await tab.close();
    }
  }
  const stranger = await stage.visitor();
  await stranger.open(other);
  await stranger.shows("Show that you are a person", 1);
  person.trouble = []; // Forms of others are requests to elsewhere.
  await holds();
}

/** What stands in the frames of a tab beside the harmless one, once all of them have loaded. */
async function framed(tab) {
  let last;
  for (const deadline = Date.now() + 20_000; Date.now() < deadline; await new Promise((resolve) => setTimeout(resolve, 50))) {
    try {
      const frames = tab.frames().slice(1);
      const seen = await Promise.all(frames.map(async (frame) => {
        const [ready, text] = await frame.evaluate("[document.readyState, document.body?.innerText ?? '']");
        return { url: frame.url(), ready, text };
      }));
      last = JSON.stringify(seen);
      const others = seen.filter(({ text }) => text !== "a harmless frame");
      const loaded = others.every(({ url, ready }) => /^(chrome-error|http):/.test(url) && ready === "complete");
      if (others.length < seen.length && loaded) return others;
    } catch (error) {
      last = error; // A frame was on its way.
    }
  }
  throw new Error(`the frames have not loaded: ${last}`);
}

/** Framed, nothing is shown; in a window that another page opened, it reaches nothing. */
export async function nobodyFramesOrHoldsThePage(stage) {
  const { address, person, pages, origins, holds } = await scene(stage);
  const harmless = '<iframe src="/harmless"></iframe>';
  pages["/harmless"] = page("<h1>a harmless frame</h1>");
  pages["/frame"] = page(`${harmless}<iframe src="${address}" width="600" height="600"></iframe>`);
  pages["/object"] = page(`${harmless}<object data="${address}" width="600" height="600"></object>`);
  pages["/window"] = page(`<button onclick="opened = window.open('${address}')">open</button>`);
  for (const [from, origin] of Object.entries(origins)) {
    for (const path of ["/frame", "/object"]) {
      const tab = await person.newTab();
      await tab.goto(origin + path);
      const shown = await framed(tab);
      assert.ok(shown.every(({ url }) => url.startsWith("chrome-error:")), `${from}, ${path}: ${JSON.stringify(shown)}`);
      await tab.close();
    }
    const tab = await person.newTab();
    await tab.goto(`${origin}/window`);
    const [popup] = await Promise.all([new Promise((resolve) => tab.once("popup", resolve)), tab.click("button")]);
    await popup.waitForSelector("h1");
    assert.equal(await popup.evaluate("window.opener"), null, from);
    // The opener has lost it; its process hears of that a moment later.
    await tab.waitForFunction("opened.closed");
    await popup.close();
    await tab.close();
  }
  person.trouble = []; // Frames and windows of others.
  await holds();
}

/** The cookie is the server's alone, for one approval; one that a neighbour sets grants nothing. */
export async function theCookieServesOneApproval(stage) {
  const { agent, address, person, pages, evil, origins, holds } = await scene(stage);
  const path = new URL(address).pathname;
  const id = path.split("/").at(-1);
  const cookies = await person.context.cookies();
  assert.equal(cookies.length, 1);
  const { name, value, domain, path: of, httpOnly, sameSite, session } = cookies[0];
  assert.deepEqual(
    { name, domain, of, httpOnly, sameSite, session },
    { name: `fintecture-approval-${id}`, domain: "127.0.0.1", of: path, httpOnly: true, sameSite: "Strict", session: true },
  );
  assert.equal(await person.tab.evaluate("document.cookie"), "");

  const other = new URL(await agent.page(account({ iban: "DE89370400440532013000" })));
  const otherName = `fintecture-approval-${other.pathname.split("/").at(-1)}`;
  pages["/"] = page("", { "set-cookie": [`${otherName}=${value}; Path=/`, `${otherName}=guess; Path=${other.pathname}`] });
  const tab = await person.newTab();
  await tab.goto(origins["another port"]);
  await tab.goto(other.href);
  assert.match(await tab.$eval("h1", (heading) => heading.innerText), /^Show that you are a person/);
  await tab.close();

  // The address alone, with a link from elsewhere: the cookie stays at home, and nothing is shown.
  pages["/link"] = page(`<a href="${address}">look</a>`);
  const linked = await person.newTab();
  await linked.goto(`http://evil.example:${evil.port}/link`);
  await Promise.all([linked.waitForNavigation(), linked.click("a")]);
  assert.match(await linked.$eval("h1", (heading) => heading.innerText), /^Show that you are a person/);
  await linked.close();
  person.trouble = [];
  await holds();
}
