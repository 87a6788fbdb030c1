// What a host starts of an unpacked bundle: `host.mjs FOLDER SETTINGS` prints its mcp_config with the person's settings
// (JSON; what is left out was not filled in) put into it, by the function of @anthropic-ai/mcpb that hosts use.
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { getMcpConfigForManifest } from "@anthropic-ai/mcpb";

const [folder, settings] = process.argv.slice(2);
const config = await getMcpConfigForManifest({
  manifest: JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8")),
  extensionPath: folder,
  systemDirs: { HOME: homedir() },
  userConfig: JSON.parse(settings),
  pathSeparator: "/",
});
console.log(JSON.stringify(config));
