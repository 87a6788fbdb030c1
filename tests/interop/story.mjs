// The KYC story for the TypeScript clients: the same facts as in story.py.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

const TOOLS = ['manage_bank_accounts', 'manage_customers', 'verify_identity'];
const IBAN = 'FR7630006000011234567890189';
const DECIDED_WITHIN = 30_000; // milliseconds; the simulator's slow bank takes three seconds
const BETWEEN_READS = 500; // milliseconds

/** What every result keeps to; returns its content. */
export function checkAnswer(result, action) {
  assert.ok(result.structuredContent, `${action}: no structuredContent`);
  assert.deepEqual(JSON.parse(result.content[0].text), result.structuredContent);
  assert.equal(result.structuredContent.environment, 'simulator');
  assert.equal(result.structuredContent.action, action);
  return result.structuredContent;
}

/** Lists the tools and plays the story with a connected client; throws where a fact does not hold. */
export async function play(client) {
  const call = (name, args) => client.callTool({ name, arguments: args });
  const succeed = async (name, args) => {
    const result = await call(name, args);
    const content = checkAnswer(result, args.action);
    assert.ok(!result.isError && !content.error, `${name}: ${JSON.stringify(content)}`);
    return content;
  };

  // The client now knows the output schemas, and refuses every result that does not fit them.
  const { tools } = await client.listTools();
  assert.deepEqual(tools.map((tool) => tool.name).sort(), TOOLS);

  // Of its own for each telling: a second customer with the same external_id is refused.
  const reference = `interop-${randomUUID()}`;
  const person = { first_name: 'Grace', last_name: 'Hopper', email: 'grace@example.com', external_id: reference };
  const { customer } = await succeed('manage_customers', { action: 'create', ...person });
  assert.match(customer.id, /^sim_/);
  assert.deepEqual({ ...customer, ...person }, customer);
  const ofCustomer = { customer_id: customer.id };

  const account = { ...ofCustomer, iban: IBAN, holder_name: 'Grace Hopper' };
  const { bank_account } = await succeed('manage_bank_accounts', { action: 'create', ...account });
  const { bank_accounts } = await succeed('manage_bank_accounts', { action: 'list', ...ofCustomer });
  assert.deepEqual(bank_accounts.map((each) => each.id), [bank_account.id]);

  const check = { ...ofCustomer, provider_id: 'sim-slow', expected_name: 'Grace Hopper' };
  let { verification, hint } = await succeed('verify_identity', { action: 'start', ...check });
  assert.equal(verification.status, 'pending');
  assert.ok(hint, 'a pending verification without a hint');
  const deadline = Date.now() + DECIDED_WITHIN;
  while (verification.status === 'pending') {
    assert.ok(Date.now() < deadline, 'the verification is never decided');
    await sleep(BETWEEN_READS);
    const read = { action: 'get', ...ofCustomer, verification_id: verification.id };
    ({ verification } = await succeed('verify_identity', read));
  }
  assert.equal(verification.status, 'verified');
  assert.equal(verification.match_score, 1);

  const refused = await call('manage_bank_accounts', { action: 'create', ...account, iban: 'FR00' });
  const { error } = checkAnswer(refused, 'create');
  assert.equal(refused.isError, true);
  assert.equal(error.kind, 'invalid_input');
  assert.deepEqual(error.problems.map((problem) => problem.field), ['iban']);
  assert.equal(error.outcome, 'not_applied');
}
