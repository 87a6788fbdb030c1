// The KYC story in its acts for the TypeScript client: the same acts, from the same table, as in kyc_story.py.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { checkAnswer } from './story.mjs';

export const TABLE = JSON.parse(readFileSync(new URL('kyc_facts.json', import.meta.url), 'utf8'));
const TIME = /\d{4}-\d\d-\d\dT[\d:.]+Z/g;
const UNSENT = ['action', 'wait_seconds'];
const SAID = { declined: 'decline', dismissed: 'cancel' };
const codes = (findings) => findings.map((finding) => finding.code);

/** One act: its records' ids, and what came to be known. */
class Act {
  constructor(client, name) {
    this.client = client;
    this.name = name;
    this.script = TABLE.acts[name];
    this.reference = `interop-${randomUUID()}`;
    this.words = [[this.reference, 'REFERENCE']];
    this.facts = {};
    this.links = [];
  }

  /** Facts, with words in place of what differs from one playing to the next. */
  know(facts) {
    const text = this.words.reduce((text, [unique, word]) => text.replaceAll(unique, word), JSON.stringify(facts));
    Object.assign(this.facts, JSON.parse(text.replace(TIME, 'TIME')));
  }

  async read(tool, args) {
    const answer = await this.client.call(tool, args);
    const content = checkAnswer(answer.result, args.action);
    assert.ok(!answer.result.isError && !content.error, `${this.name}: ${JSON.stringify(content)}`);
    this.links.push(...(args.action === 'dossier' ? answer.links : []));
    return content;
  }

  /** A write whose person says this, where one is asked. */
  async write(tool, args, says = 'accept') {
    const { client } = this;
    const { person } = client;
    person.says = says;
    let answer = await client.call(tool, args);
    let content = checkAnswer(answer.result, args.action);
    if (content.error?.kind === 'confirmation_required') {
      assert.ok(client.goesToPage, `${this.name}: a client that can ask gets ${JSON.stringify(content)}`);
      assert.equal(content.error.outcome, 'not_applied');
      await person.decideOn(content.error.approval.url);
      answer = await client.call(tool, args);
      content = checkAnswer(answer.result, args.action);
    }
    const shown = person.shown.splice(0);
    assert.equal(shown.length, client.isAsked ? 1 : 0, `${this.name}: ${tool} ${args.action} was shown as ${shown}`);
    for (const text of shown.filter(Boolean)) {
      for (const [name, value] of Object.entries(args).filter(([name]) => !UNSENT.includes(name))) {
        const looks = name === 'iban' ? value.match(/.{1,4}/g).join(' ') : value;
        assert.ok(text.includes(looks), `${this.name}: ${name} is not shown in ${text}`);
      }
    }
    this.links.push(...answer.links);
    return { content, answer };
  }

  async refused(tool, args, says) {
    const { content, answer } = await this.write(tool, args, says);
    assert.equal(answer.result.isError, true, `${this.name}: ${JSON.stringify(content)}`);
    return { kind: content.error.kind, outcome: content.error.outcome };
  }

  get person() {
    return { action: 'create', ...this.script.customer, external_id: this.reference };
  }

  async register() {
    const { customer } = (await this.write('manage_customers', this.person)).content;
    this.words.push([customer.id, 'CUSTOMER']);
    this.know({ customer });
    this.ofCustomer = { customer_id: customer.id };
  }

  /** Account, verification and dossier: the way of an agent who was told to check a customer. */
  async check() {
    await this.register();
    const account = { action: 'create', ...this.ofCustomer, ...this.script.account };
    const { bank_account } = (await this.write('manage_bank_accounts', account)).content;
    this.words.push([bank_account.id, 'ACCOUNT']);
    this.know({ bank_account });

    const isGivenUp = this.name === 'given_up';
    const wait = isGivenUp ? {} : { wait_seconds: 30 };
    const start = { action: 'start', ...this.ofCustomer, ...this.script.start, ...wait };
    const started = await this.write('verify_identity', start);
    const { verification, hint } = started.content;
    this.words.push([verification.id, 'VERIFICATION']);
    if (this.name === 'slow') this.client.checkWait(started.answer);
    const get = { action: 'get', ...this.ofCustomer, verification_id: verification.id };
    if (isGivenUp) {
      assert.ok(hint, 'a pending verification without a hint');
      await this.client.giveUp('verify_identity', { ...get, wait_seconds: 60 });
    }
    const read = await this.read('verify_identity', get);
    assert.deepEqual(read.verification, verification);
    this.know({ verification });
    await this.lookAtDossier();
    this.know({ links: this.links });
  }

  /** The same dossier by the tool and by the resource, as JSON and in words. */
  async lookAtDossier() {
    const content = await this.read('verify_identity', { action: 'dossier', ...this.ofCustomer });
    const { dossier } = content;
    const { customer } = await this.read('manage_customers', { action: 'get', ...this.ofCustomer });
    assert.deepEqual(dossier.customer, customer);
    const contents = await this.client.resource(`fintecture://customers/${customer.id}/dossier`);
    assert.deepEqual(Object.keys(contents).sort(), ['application/json', 'text/markdown']);
    const withoutTimes = (text) => JSON.parse(text.replace(TIME, 'TIME'));
    assert.deepEqual(withoutTimes(contents['application/json']), withoutTimes(JSON.stringify(content)));
    const values = [dossier.customer, ...dossier.bank_accounts, ...dossier.verifications].flatMap(Object.values);
    // JavaScript has 1 where the dossier in words has 1.0.
    const shown = values.map((value) => (value === 1 ? '1.0' : String(value)));
    for (const text of [...codes(dossier.contradictions), ...codes(dossier.gaps), ...shown]) {
      assert.ok(contents['text/markdown'].includes(`\`${text}\``), `${text} is not in ${contents['text/markdown']}`);
    }
    assert.ok(contents['text/markdown'].includes(dossier.not_checked));
    this.know({
      contradictions: codes(dossier.contradictions),
      gaps: codes(dossier.gaps),
      names: dossier.name_comparisons.map((each) => [each.holder_name, each.customer_name, each.result]),
      sources: dossier.sources.map((each) => each.operation),
      accounts: dossier.bank_accounts.map((each) => [each.iban, each.holder_name, each.verified]),
      verifications: dossier.verifications.map((each) => [each.id, each.status, each.match_score ?? null]),
    });
  }

  /** The person says no, or dismisses the question: nothing is sent, and what they are asked afresh goes on. */
  async refuse(said) {
    const create = await this.refused('manage_customers', this.person, said);
    const list = { action: 'list', external_id: this.reference };
    const { customers: found } = await this.read('manage_customers', list);
    await this.register();
    const check = { action: 'start', ...this.ofCustomer, ...this.script.start, wait_seconds: 30 };
    const start = await this.refused('verify_identity', check, said);
    const { verifications } = await this.read('verify_identity', { action: 'list', ...this.ofCustomer });
    this.know({ create, found, start, started: verifications });
  }

  /** The client gives the call up while its person still looks at the question: it is taken back, nothing is sent. */
  async leave() {
    await this.client.leave('manage_customers', this.person);
    const list = { action: 'list', external_id: this.reference };
    const { customers: found } = await this.read('manage_customers', list);
    await this.register();
    this.know({ found });
  }
}

/** Prompts, and the completion of what they ask for. */
async function lookAround(client) {
  assert.deepEqual(await client.prompts(), TABLE.prompts);
  const text = await client.prompt('kyc_check', { customer_id: 'sim_cus_charles' });
  assert.ok(text.includes('customer_id: "sim_cus_charles"') && text.includes('`verify_identity dossier`'), text);
  assert.deepEqual(await client.complete('kyc_check', 'customer_id', 'sim_cus_ch'), ['sim_cus_charles']);
}

/** How this client plays the act, or nothing where it cannot. */
function way(client, act) {
  const said = SAID[act.name];
  if (said) return client.canSay(said) ? act.refuse(said) : undefined;
  if (act.name === 'left') return client.canBeLeft ? act.leave() : undefined;
  return act.check();
}

/** Plays every act that this client can play, and compares what is known at the end with the table. */
export async function play(client) {
  await lookAround(client);
  for (const [name, { account, facts }] of Object.entries(TABLE.acts)) {
    const act = new Act(client, name);
    const played = way(client, act);
    if (!played) continue;
    await played;
    const expected = { ...(account && TABLE.known_after_every_check), ...facts };
    assert.deepEqual(act.facts, expected, `${name} is not as in the table of facts`);
  }
}
