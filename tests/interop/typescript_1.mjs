// TypeScript SDK 1.x: `typescript_1.mjs stdio COMMAND...`, `typescript_1.mjs http|sse URL`.

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { play } from './story.mjs';

const [transport, target, ...args] = process.argv.slice(2);

function connection() {
  if (transport === 'stdio') return new StdioClientTransport({ command: target, args });
  const Transport = transport === 'sse' ? SSEClientTransport : StreamableHTTPClientTransport;
  return new Transport(new URL(target));
}

const client = new Client({ name: 'interop', version: '1' });
await client.connect(connection());
await play(client);
await client.close();
