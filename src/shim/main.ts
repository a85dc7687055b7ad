/**
 * The sudo shim, dist/shim.cjs. It has no authority: it takes the words after `sudo` to the gateway,
 * which decides, asks a person, runs the command and sends back output and exit code.
 *
 *   /usr/bin/env -i OPENCLAW_ELEVATION_TOKEN=... [OPENCLAW_PRIV_REASON=...] \
 *     /abs/node --no-addons /abs/shim.cjs SOCKET REAL_SUDO NAME [WORD...]
 *
 * SOCKET and REAL_SUDO are absolute paths fixed by whoever installed or called it; NAME is what it
 * was called as, `sudo`. This is the only form: <state>/bin/sudo uses it, and so does the gateway
 * when it puts an agent's `sudo ...` through the broker. Nothing else of the environment is read.
 *
 * When the gateway cannot be reached, everything is refused but the few words that real sudo
 * answers without running anything. Imports nothing but Node, so that it stays small and quick.
 */
import { fail, FAILED, REFUSED } from "./fail.ts";
import { encodeRequest } from "./frame.ts";
import { ask, tell } from "./gateway.ts";
import { becomeRealSudo, isForRealSudo } from "./real-sudo.ts";
import { readStdin } from "./stdin.ts";

/** For telling the gateway about a word that real sudo answers either way. */
const NOTE_MS = 500;

async function main(): Promise<void> {
  // Bytes that are not UTF-8 arrive here as U+FFFD, which no request may hold: they are refused, not changed.
  const [socketPath = "", realSudo = "", name = "", ...words] = process.argv.slice(2);
  if (!socketPath.startsWith("/") || name === "") {
    fail(FAILED, "usage", "SOCKET REAL_SUDO NAME [WORD...] are missing", "Install the shim with `cse shim install`.");
  }
  const hasToken = (process.env["OPENCLAW_ELEVATION_TOKEN"] ?? "") !== "";
  if (name.slice(name.lastIndexOf("/") + 1) === "sudo" && isForRealSudo(words)) {
    const go = (): never => becomeRealSudo(realSudo, words[0] ?? "");
    if (!hasToken) go();
    tell(socketPath, encodeRequest(name, words, null), NOTE_MS, go);
    return;
  }
  if (!hasToken) {
    const help = "Only what the gateway started for an agent has one; a person uses the real sudo.";
    fail(REFUSED, "token-missing", "the call belongs to no session of the gateway", help);
  }
  ask(socketPath, encodeRequest(name, words, await readStdin()));
}

main().catch((cause: unknown) => {
  fail(FAILED, "internal", cause instanceof Error ? cause.message : "unexpected failure", "Please report it.");
});
