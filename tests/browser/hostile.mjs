// Values that try to be more than text, in every field that a page shows.
import assert from "node:assert/strict";
import { bones, payloads } from "./payloads.mjs";
import { CODE, account, customer, verification } from "./servers.mjs";

/** What follows counts for nothing if what watches sees nothing. */
export async function theWatchSeesWhatItMust({ servers, visitor }) {
  const elsewhere = await servers.site();
  const there = await servers.site({
    "/asks": { html: "<!doctype html><title>x</title><script>alert(1)</script>" },
    "/loads": { html: `<!doctype html><title>x</title><img src="${elsewhere.origin}/x">` },
    "/breaks": {
      headers: { "content-security-policy": "default-src 'none'" },
      html: "<!doctype html><title>x</title><script>1</script>",
    },
    "/wide": { html: '<!doctype html><html lang="en"><title>x</title><main><h1>x</h1><p style="width:2000px">x' },
    "/mute": { html: '<!doctype html><html lang="en"><title>x</title><main><h1>x</h1><input>' },
  });
  for (const [path, trouble] of [["asks", /dialog/], ["loads", /request to/], ["breaks", /Content.?Security.?Policy/i]]) {
    const person = await visitor();
    await person.open(`${there.origin}/${path}`);
    assert.match(person.trouble.join("\n"), trouble, path);
  }
  assert.deepEqual(elsewhere.seen, ["GET /x"]);
  for (const [path, told] of [["wide", /pixels wide/], ["mute", /label/]]) {
    const person = await visitor();
    await person.open(`${there.origin}/${path}`);
    await assert.rejects(person.judge("control"), told);
  }
}

export async function valuesStayText({ servers, visitor }) {
  const there = await servers.site();
  const upstream = await servers.simulator();
  const { agent } = await servers.http("production", { upstream, flags: ["--confirm-writes", "always", "--personal-data", "full"] });
  const { agent: registrar } = await servers.http("sandbox", { upstream, flags: ["--confirm-writes", "never"] });
  const register = async (name) => {
    const [tool, args] = customer({ first_name: name, last_name: name, company_name: name });
    return (await registrar.good([tool, args])).customer.id;
  };
  const writes = async (text, n) => [
    customer({ first_name: text, last_name: text, company_name: text, external_id: `${n}${text}` }),
    account({ customer_id: await register(text), holder_name: text }),
    verification({ customer_id: await register(`${n}${text}`), expected_name: text, provider_id: "sim-instant" }),
  ];
  const harmless = [];
  const person = await visitor();
  for (const [n, text] of ["Ada", ...payloads(there.origin)].entries()) {
    for (const [kind, write] of (await writes(text, n)).entries()) {
      await person.prove(await agent.page(write), CODE);
      const shown = await person.text();
      const lines = shown.split("\n").filter((line) => line.includes(text)).length;
      // Each name, the company and the reference; the holder or the expected name beside who is on file.
      assert.equal(lines, [4, 2, 2][kind], shown);
      for (const [decision, buttons, heading] of [[null, 2, "Approve or decline"], ["decline", 0, "Declined"]]) {
        if (decision) await person.press(decision);
        await person.shows(heading, buttons);
        const at = `${kind} ${heading}`;
        if (n === 0) harmless[at] = await bones(person.tab);
        else assert.deepEqual(await bones(person.tab), harmless[at], text);
        if (n === 6 && kind === 1) await person.judge(`hostile-${heading.split(" ")[0].toLowerCase()}`);
        await person.fitsSideways(text);
      }
      await agent.error(write, "declined");
      assert.deepEqual(person.trouble, [], text);
    }
  }
  // Fields that are more than text take none of it, so that there is nothing to show.
  for (const text of payloads(there.origin)) {
    for (const write of [
      ...["email", "phone"].map((field) => customer({ [field]: text })),
      ...["customer_id", "iban", "bic", "currency"].map((field) => account({ [field]: text })),
      ...["customer_id", "provider_id"].map((field) => verification({ [field]: text })),
    ]) await agent.error(write, "invalid_input");
  }
  assert.deepEqual(there.seen, [], "nothing was asked for elsewhere");
}
