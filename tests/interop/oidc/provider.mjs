#!/usr/bin/env node
// A real authorization server on 127.0.0.1, for tests: `provider.mjs` prints where it is, as JSON on one line.
//
//   {"issuer": ..., "control": ..., "clients": {"agent": {"id", "secret"}, "reader": {...}, "pages": {...}}}
//
// It gives out JWT access tokens for whatever resource is asked for. `agent` may have every scope with its own
// credentials, `reader` customers:read alone. Anybody may register a client; who is sent to sign in is Ada, at once.
// `pages` are approval pages at any port of 127.0.0.1: who comes from there is asked who they are, on a page with a
// button for each. Ada and Bob may have every scope, Eve any but approvals:write.
//
// With `localhost` as argument that is its name: another site than 127.0.0.1 to a browser.
//
// POST control/add      a new key signs from now on, the others stay published
// POST control/withdraw all but the newest key are withdrawn
// POST control/alg?ES256|RS256   the algorithm of the tokens from now on

import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { once } from 'node:events';
import Provider from 'oidc-provider';

console.info = console.warn; // the package's notices; standard output has the one line

const PEOPLE = { ada: 'ada.canary@example.com', bob: 'bob.canary@example.com', eve: 'eve.canary@example.com' };
const APPROVE = 'approvals:write';
const MAY_NOT_APPROVE = PEOPLE.eve;
const SCOPES = [
  'customers:read', 'customers:write', 'bank-accounts:read', 'bank-accounts:write',
  'verifications:read', 'verifications:write', 'personal-data:read', APPROVE,
];
const AGENT = { id: 'agent', secret: 'canary-agent-secret-27f1', scopes: SCOPES };
const READER = { id: 'reader', secret: 'canary-reader-secret-b06d', scopes: ['customers:read'] };
const PAGES = { id: 'pages', secret: 'canary-pages-secret:+ 9c4e' };

const made = { RS256: ['rsa', { modulusLength: 2048 }], ES256: ['ec', { namedCurve: 'P-256' }] };

/** A key for this algorithm, with an id of its own. */
function key(alg) {
  const { privateKey } = generateKeyPairSync(...made[alg]);
  return { ...privateKey.export({ format: 'jwk' }), alg, use: 'sig', kid: randomUUID() };
}

/** What the authorization server keeps. It outlives new keys. */
const kept = new Map();
class Kept {
  constructor(model) { this.named = (id) => `${model}:${id}`; }
  async upsert(id, payload) { kept.set(this.named(id), payload); }
  async find(id) { return kept.get(this.named(id)); }
  async findByUid(uid) { return [...kept.values()].find((payload) => payload.uid === uid); }
  async consume(id) { kept.get(this.named(id)).consumed = Math.floor(Date.now() / 1000); }
  async destroy(id) { kept.delete(this.named(id)); }
  async revokeByGrantId(grant) {
    for (const [name, payload] of kept) if (payload.grantId === grant) kept.delete(name);
  }
}

let algorithm = 'RS256';
let keys = [key('RS256'), key('ES256')];

function configuration() {
  const scopesOf = (client) => (client.clientId === READER.id ? READER.scopes : SCOPES);
  return {
    adapter: Kept,
    jwks: { keys },
    scopes: SCOPES,
    clients: [
      ...[AGENT, READER].map(({ id, secret }) => ({
        client_id: id,
        client_secret: secret,
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
      })),
      {
        client_id: PAGES.id,
        client_secret: PAGES.secret,
        application_type: 'native', // RFC 8252: on loopback any port will do
        redirect_uris: ['http://127.0.0.1/approvals/callback'],
      },
    ],
    cookies: { keys: ['of a test'] },
    pkce: { required: () => true },
    interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
    findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    // Whoever has signed in has consented, to all that the client asks for.
    async loadExistingGrant(ctx) {
      const { client, session, params, provider } = ctx.oidc;
      const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
      grant.addOIDCScope(params.scope ?? '');
      for (const resource of [params.resource ?? []].flat()) {
        grant.addResourceScope(resource, params.scope ?? '');
        if (session.accountId === MAY_NOT_APPROVE) grant.rejectResourceScope(resource, APPROVE);
      }
      await grant.save();
      return grant;
    },
    issueRefreshToken: (ctx, client) => client.grantTypeAllowed('refresh_token'),
    ttl: { AccessToken: 300, ClientCredentials: 300, Grant: 300, Interaction: 300, Session: 300, IdToken: 300 },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      registration: { enabled: true },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo: (ctx, resource, client) => ({
          scope: scopesOf(client).join(' '),
          audience: resource,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: algorithm, kid: keys.find((each) => each.alg === algorithm).kid } },
        }),
      },
    },
  };
}

const server = createServer((request, response) => respond(request, response));
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const issuer = `http://${process.argv[2] ?? '127.0.0.1'}:${server.address().port}`;

let provider;
let callback;
/** A server with the keys as they are now. What it knows of clients and sessions it keeps. */
function start() {
  provider = new Provider(issuer, configuration());
  provider.on('server_error', (ctx, error) => console.error(error));
  callback = provider.callback();
}
start();

async function respond(request, response) {
  if (!request.url.startsWith('/interaction/')) return callback(request, response);
  const { prompt, params } = await provider.interactionDetails(request, response);
  const finish = (result) => provider.interactionFinished(request, response, result);
  if (prompt.name === 'consent') return finish({ consent: {} });
  if (params.client_id !== PAGES.id) return finish({ login: { accountId: PEOPLE.ada } });
  if (request.method !== 'POST') return response.writeHead(200, { 'content-type': 'text/html' }).end(WHO);
  const who = new URLSearchParams(Buffer.concat(await request.toArray()).toString()).get('who');
  return finish(PEOPLE[who] ? { login: { accountId: PEOPLE[who] } } : { error: 'access_denied' });
}

const button = (name) => `<button name="who" value="${name}">${name}</button>`;
const WHO = `<!doctype html><title>Who are you?</title><form method="post">${
  [...Object.keys(PEOPLE), 'nobody'].map(button).join('')}</form>`;

const orders = {
  '/add': () => { keys = [key(algorithm), ...keys]; },
  '/withdraw': () => { keys = ['RS256', 'ES256'].map((alg) => keys.find((each) => each.alg === alg)); },
  '/alg?RS256': () => { algorithm = 'RS256'; },
  '/alg?ES256': () => { algorithm = 'ES256'; },
};
const control = createServer((request, response) => {
  const order = request.method === 'POST' && orders[request.url];
  if (!order) return response.writeHead(404).end();
  order();
  start();
  return response.writeHead(204).end();
});
control.listen(0, '127.0.0.1');
await once(control, 'listening');

const clients = Object.fromEntries([AGENT, READER, PAGES].map(({ id, secret }) => [id, { id, secret }]));
process.stdout.write(`${JSON.stringify({ issuer, control: `http://127.0.0.1:${control.address().port}`, clients })}\n`);
process.on('SIGTERM', () => process.exit(0));
