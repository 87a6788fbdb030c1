// The card, framed by a host of MCP Apps: each of its states, at a real server where one says it.
import assert from "node:assert/strict";
import { Host } from "./host.mjs";

const ADA = "sim_cus_ada";
const start = (provider_id, over = {}) => ({ action: "start", customer_id: ADA, provider_id, expected_name: "Ada Lovelace", ...over });

/** A host in front of a server that asks nobody. */
async function hosted({ servers, visitor }, { environment = "simulator", flags = ["--confirm-writes", "never"], upstream, ...how } = {}) {
  const { origin } = await servers.http(environment, { flags, upstream });
  return Host.of(await visitor(), servers, origin, how);
}

export async function cardVerified(check) {
  const host = await hosted(check);
  await host.shows("Waiting for the result");
  await host.judge("waiting");
  const { verification } = await host.agentCalls(start("sim-instant"));
  await host.shows("Verified", "SIMULATOR", verification.id, String(verification.match_score), verification.verified_at, "What this does not prove");
  await host.shows("Ada Lovelace", ADA);
  assert.deepEqual(host.calls, [{ name: "manage_customers", arguments: { action: "get", customer_id: ADA } }]);
  await host.judge("verified");
}
