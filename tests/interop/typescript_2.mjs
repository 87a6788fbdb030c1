// TypeScript SDK 2.x: `typescript_2.mjs stdio COMMAND...`, `typescript_2.mjs http|sse URL`.

import { Client, SSEClientTransport, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { play } from './story.mjs';

const [transport, target, ...args] = process.argv.slice(2);

function connection() {
  if (transport === 'stdio') return new StdioClientTransport({ command: target, args });
  const Transport = transport === 'sse' ? SSEClientTransport : StreamableHTTPClientTransport;
  return new Transport(new URL(target));
}

const client = new Client({ name: 'interop', version: '1' }, { versionNegotiation: { mode: 'auto' } });
await client.connect(connection());
await play(client);
await client.close();
