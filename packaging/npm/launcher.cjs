#!/usr/bin/env node
// Starts the binary that npm installed for this platform, and ends as it ends.
"use strict";

const { spawn } = require("node:child_process");

const platform = `fintecture-mcp-${process.platform}-${process.arch}`;

function find() {
  try {
    return require.resolve(`${platform}/bin/fintecture-mcp`);
  } catch {
    process.stderr.write(
      `fintecture-mcp: there is no binary for this platform: the package ${platform} is not installed. It comes as an ` +
        "optional dependency, for Linux (glibc) and macOS on x64 and arm64: install again without --omit=optional, or " +
        "use cargo install fintecture-mcp\n",
    );
    process.exit(1);
  }
}

const server = spawn(find(), process.argv.slice(2), { stdio: "inherit" });

// An interrupt from a terminal reaches the server by itself, too: it takes both for one.
for (const signal of ["SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT"]) {
  process.on(signal, () => server.kill(signal));
}

server.on("error", (error) => {
  process.stderr.write(`fintecture-mcp: ${error.message}\n`);
  process.exit(1);
});
server.on("exit", (code, signal) => {
  if (signal) {
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  } else {
    process.exit(code);
  }
});
