// TypeScript SDK 2.x through an authorization server: `oauth_typescript.mjs agent|reader|person FACTS`, as in
// python_2.py.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import {
  Client, ClientCredentialsProvider, StreamableHTTPClientTransport, UnauthorizedError,
} from '@modelcontextprotocol/client';
import { checkAnswer, play } from './story.mjs';

const CALLBACK = 'http://127.0.0.1:1/callback'; // nobody listens there: the browser stops before it
const MOST_REDIRECTS = 10;

const [who, said] = process.argv.slice(2);
const facts = JSON.parse(said);

/** A browser: follows redirects with its cookies until it is sent back to the client. */
async function follow(url) {
  const cookies = new Map();
  for (let count = 0; count < MOST_REDIRECTS; count += 1) {
    if (url.href.startsWith(CALLBACK)) return url.searchParams;
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await fetch(url, { redirect: 'manual', headers: { cookie } });
    assert.ok([302, 303].includes(answer.status), `status ${answer.status}: ${await answer.text()}`);
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      cookies.set(name, value);
    }
    url = new URL(answer.headers.get('location'), url);
  }
  throw new Error('sent round in circles');
}

/** A client that registers itself, and whose person signs in. */
class Person {
  redirectUrl = CALLBACK;
  clientMetadata = { client_name: 'interop', redirect_uris: [CALLBACK], token_endpoint_auth_method: 'none' };
  #kept = {};
  #state = randomUUID();
  state = () => this.#state;
  clientInformation = () => this.#kept.client;
  saveClientInformation = (client) => { this.#kept.client = client; };
  tokens = () => this.#kept.tokens;
  saveTokens = (tokens) => { this.#kept.tokens = tokens; };
  saveCodeVerifier = (verifier) => { this.#kept.verifier = verifier; };
  codeVerifier = () => this.#kept.verifier;
  saveDiscoveryState = (state) => { this.#kept.discovery = state; };
  discoveryState = () => this.#kept.discovery;
  redirectToAuthorization = async (url) => {
    this.cameBack = await follow(url);
    assert.equal(this.cameBack.get('state'), this.#state);
  };
}

function provider() {
  if (who === 'person') return new Person();
  const { id, secret } = facts.clients[who];
  return new ClientCredentialsProvider({ clientId: id, clientSecret: secret, expectedIssuer: facts.issuer });
}

const authProvider = provider();
const connect = async () => {
  const client = new Client({ name: 'interop', version: '1' }, { versionNegotiation: { mode: 'auto' } });
  const transport = new StreamableHTTPClientTransport(new URL(facts.url), { authProvider });
  try {
    await client.connect(transport);
    return client;
  } catch (error) {
    if (!(error instanceof UnauthorizedError) || !authProvider.cameBack) throw error;
    await transport.finishAuth(authProvider.cameBack);
    authProvider.cameBack = undefined;
    return null;
  }
};

const client = (await connect()) ?? (await connect());
assert.ok(client, 'signed in, and still refused');
if (who === 'reader') {
  await client.listTools();
  const list = await client.callTool({ name: 'manage_customers', arguments: { action: 'list' } });
  assert.ok(checkAnswer(list, 'list').customers.length > 0);
  const person = { first_name: 'Grace', last_name: 'Hopper', email: 'grace@example.com' };
  const refused = await client.callTool({ name: 'manage_customers', arguments: { action: 'create', ...person } });
  const { error } = checkAnswer(refused, 'create');
  assert.equal(refused.isError, true);
  assert.equal(error.kind, 'insufficient_scope');
  assert.equal(error.scope, 'customers:write');
  assert.equal(error.outcome, 'not_applied');
} else {
  await play(client);
}
await client.close();
