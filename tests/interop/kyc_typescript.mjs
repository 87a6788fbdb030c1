// The KYC story by the TypeScript client 2.x: `kyc_typescript.mjs VARIANT stdio COMMAND...`, or http|sse and a URL.
// What a variant can do stands in `VARIANTS`; the server's approvals are `always` where it goes to a page.

import assert from 'node:assert/strict';
import { Client, SSEClientTransport, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { createTaskSessionFromClient } from '@modelcontextprotocol/ext-tasks/client';
import { Person } from './kyc_person.mjs';
import { TABLE, play } from './kyc_story.mjs';

const [MODERN, LEGACY] = ['2026-07-28', '2025-11-25'];
// What the client can do, and the revision that it is to speak.
const VARIANTS = {
  modern: [MODERN, ['asks', 'progress']],
  tasks: [MODERN, ['asks', 'progress', 'tasks']],
  legacy: [LEGACY, ['asks', 'progress']],
  plain: [MODERN, []],
  page: [LEGACY, ['goesToPage']],
  led: [MODERN, ['asks', 'progress', 'isLed']],
  'led-legacy': [LEGACY, ['asks', 'progress', 'isLed']],
};
const SETTLED = 1500; // milliseconds after which a call that tells nothing is surely under way
const TAKEN_BACK_WITHIN = 10_000; // milliseconds; the server's word, or the client's own end of the call
const ABOUT = { name: 'interop', version: '1' };

const [variant, transport, target, ...args] = process.argv.slice(2);
const [revision, abilities] = VARIANTS[variant];
const can = (ability) => abilities.includes(ability);
const person = new Person(TABLE.approval_code);
// Who is led to a page declares nothing else: where a form counted, it would come first.
const capabilities = can('asks') ? { elicitation: can('isLed') ? { url: {} } : { form: {}, url: {} } } : {};

let leaving; // what the person does instead of answering

/** What the person says to a question. */
async function ask(params, signal) {
  if (leaving) return leaving(signal);
  assert.equal(params.mode === 'url', can('isLed'), `asked with ${JSON.stringify(params)}`);
  if (params.mode !== 'url') {
    person.shown.push(params.message);
    return { action: person.says, ...(person.says === 'accept' && { content: { confirm: true } }) };
  }
  if (person.says === 'cancel') {
    person.shown.push(''); // dismissed unseen
    return { action: 'cancel' };
  }
  await person.decideOn(params.url);
  return { action: 'accept' };
}

function connection() {
  if (transport === 'stdio') return new StdioClientTransport({ command: target, args, env: process.env });
  const Transport = transport === 'sse' ? SSEClientTransport : StreamableHTTPClientTransport;
  return new Transport(new URL(target));
}

/** What carries requests of the tasks extension, whose results the client itself refuses, beside it. */
function besideClient(wire) {
  const open = new Map();
  const clients = wire.onmessage;
  wire.onmessage = (message, extra) => {
    const answered = open.get(message.id);
    if (!answered) return clients(message, extra);
    open.delete(message.id);
    answered(message);
  };
  let count = 0;
  return (request, { signal } = {}) =>
    new Promise((resolve, reject) => {
      const id = `beside-${(count += 1)}`;
      open.set(id, ({ error, result }) => resolve(error ? { kind: 'error', error } : { kind: 'result', result }));
      wire.send({ jsonrpc: '2.0', id, ...request }, { requestSignal: signal }).catch(reject);
    });
}

/** One connected client, as the story sees it. */
class Player {
  person = person;
  goesToPage = can('goesToPage');
  isAsked = can('asks') || can('goesToPage');
  canBeLeft = can('asks');

  constructor(client, tasks) {
    this.client = client;
    this.tasks = tasks;
  }

  canSay(said) {
    return can('asks') || (can('goesToPage') && said === 'decline');
  }

  async call(name, args, { signal, hear } = {}) {
    const progress = [];
    const onprogress = (each) => {
      // This client tells of its own questions, too, without a total and on another scale.
      if (each.total === undefined) return;
      progress.push(each);
      hear?.(progress);
    };
    let result;
    let isTask = false;
    if (this.tasks) {
      const execution = await this.tasks.callTool(name, args, { signal });
      isTask = execution.kind === 'task';
      const { outcome } = await execution.settle();
      assert.equal(outcome.status, 'completed', JSON.stringify(outcome));
      result = outcome.result;
    } else {
      const followed = { signal, ...(can('progress') && { onprogress }) };
      result = await this.client.callTool({ name, arguments: args }, followed);
    }
    return { result, links: result.content.slice(1).map((link) => link.uri), progress, isTask };
  }

  /** A wait comes as a task, or tells how far it is; never both. */
  checkWait({ progress, isTask }) {
    assert.equal(isTask, can('tasks'), 'whether the wait came as a task');
    if (!can('progress') || can('tasks')) return assert.deepEqual(progress, []);
    this.checkProgress(progress);
  }

  checkProgress(progress) {
    assert.ok(progress.length > 0);
    progress.forEach((each, index) => {
      const before = progress[index - 1]?.progress ?? -1;
      assert.ok(before < each.progress && each.progress <= each.total, JSON.stringify(progress));
    });
  }

  /** Cancels a call that is under way, by this client's own means. */
  async giveUp(name, args) {
    if (this.tasks) {
      const execution = await this.tasks.callTool(name, args);
      assert.equal(execution.kind, 'task');
      await execution.cancel();
      const { outcome } = await execution.settle();
      return assert.equal(outcome.status, 'cancelled', JSON.stringify(outcome));
    }
    const controller = new AbortController();
    const giveUp = () => controller.abort('given up');
    if (!can('progress')) setTimeout(giveUp, SETTLED);
    let told = [];
    const hear = (progress) => {
      told = progress;
      if (told.length > 1) giveUp();
    };
    const given = this.call(name, args, { signal: controller.signal, hear });
    await assert.rejects(given, /given up/);
    if (can('progress')) this.checkProgress(told);
  }

  /** Gives a call up while the person still has its question before them, who is then rid of it. */
  async leave(name, args) {
    const controller = new AbortController();
    const rid = new Promise((resolve, reject) => {
      leaving = (signal) => {
        setTimeout(reject, TAKEN_BACK_WITHIN, new Error('the question is not taken back')).unref();
        return new Promise((_, stop) => {
          const end = () => (resolve(), stop(controller.signal.reason));
          signal.addEventListener('abort', end, { once: true });
          controller.abort(new Error('given up'));
        });
      };
    });
    await assert.rejects(this.call(name, args, { signal: controller.signal }), /given up/);
    await rid;
    leaving = undefined;
  }

  async resource(uri) {
    const { contents } = await this.client.readResource({ uri });
    return Object.fromEntries(contents.map((each) => [each.mimeType, each.text]));
  }

  async prompts() {
    return (await this.client.listPrompts()).prompts.map((prompt) => prompt.name);
  }

  async prompt(name, args) {
    return (await this.client.getPrompt({ name, arguments: args })).messages[0].content.text;
  }

  async complete(name, argument, value) {
    const params = { ref: { type: 'ref/prompt', name }, argument: { name: argument, value } };
    return (await this.client.complete(params)).completion.values;
  }
}

const mode = revision === MODERN ? 'auto' : 'legacy';
const client = new Client(ABOUT, { capabilities, versionNegotiation: { mode } });
if (can('asks')) {
  client.setRequestHandler('elicitation/create', ({ params }, { mcpReq }) => ask(params, mcpReq.signal));
}
const wire = connection();
await client.connect(wire);
assert.equal(client.getNegotiatedProtocolVersion(), revision);
await client.listTools(); // from now on it refuses results that do not fit the output schemas
const tasks = can('tasks')
  ? createTaskSessionFromClient(client, {
      endpointId: 'interop',
      rawDispatch: besideClient(wire),
      v2RequestFraming: { protocolVersion: revision, clientInfo: ABOUT, clientCapabilities: capabilities },
      onInputRequest: ({ params }, { signal }) => ask(params, signal),
    })
  : undefined;
await play(new Player(client, tasks));
await tasks?.close();
await client.close();
