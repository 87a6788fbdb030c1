// A real authorization server that runs, and the ways of agents to its tokens.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";

const MAY_WRITE = "customers:write bank-accounts:write verifications:write";

/** It, as tests/interop/oidc/provider.mjs says where it is. */
export class Issuer {
  constructor(facts) {
    Object.assign(this, facts);
    this.origin = new URL(facts.issuer).origin;
  }

  async #token(form, headers = {}) {
    const body = new URLSearchParams(form);
    const answer = await fetch(`${this.issuer}/token`, { method: "POST", headers, body });
    const json = await answer.json();
    assert.ok(json.access_token, JSON.stringify(json));
    return json.access_token;
  }

  /** The token of an agent that acts in its own name. */
  agentToken(resource, scope = MAY_WRITE) {
    const { id, secret } = this.clients.agent;
    const authorization = `Basic ${btoa(`${id}:${secret}`)}`;
    return this.#token({ grant_type: "client_credentials", scope, resource }, { authorization });
  }

  /** The token of an agent that acts in Ada's name: its client registers itself, and she has signed in. */
  async adasToken(resource) {
    const back = "http://127.0.0.1:1/callback"; // Nobody listens there.
    const metadata = { redirect_uris: [back], token_endpoint_auth_method: "none" };
    const headers = { "content-type": "application/json" };
    const registered = await fetch(`${this.issuer}/reg`, { method: "POST", headers, body: JSON.stringify(metadata) });
    const { client_id } = await registered.json();
    const code_verifier = randomBytes(32).toString("base64url");
    const code_challenge = createHash("sha256").update(code_verifier).digest("base64url");
    let url = new URL(`${this.issuer}/auth`);
    const asked = { response_type: "code", client_id, redirect_uri: back, scope: MAY_WRITE, resource, code_challenge };
    url.search = new URLSearchParams({ ...asked, code_challenge_method: "S256" });
    const cookies = new Map();
    while (!url.href.startsWith(back)) {
      const cookie = [...cookies].map((pair) => pair.join("=")).join("; ");
      const answer = await fetch(url, { redirect: "manual", headers: { cookie } });
      assert.equal(answer.status, 303, await answer.text());
      for (const line of answer.headers.getSetCookie()) {
        const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
        cookies.set(name, value);
      }
      url = new URL(answer.headers.get("location"), url);
    }
    const code = url.searchParams.get("code");
    return this.#token({ grant_type: "authorization_code", code, code_verifier, client_id, redirect_uri: back, resource });
  }
}
