import type { CommandReading } from "./exec-gate.ts";

/** Stand-in until the shell reader is here: sees the names of elevators and nothing else. */
export function readCommand(text: string): CommandReading {
  const elevates = /\b(?:sudo|su|doas|pkexec|run0)\b/.test(text);
  const words = text.trim().split(/\s+/);
  const isPlain = /^(?:\/usr\/bin\/)?sudo [\w./ -]+$/.test(text.trim());
  return {
    verdict: elevates ? "elevates" : /base64|eval|\$\(/.test(text) ? "opaque" : "clear",
    elevations: elevates ? [{ program: "sudo", argv: isPlain ? words.slice(1) : null }] : [],
    reasons: elevates ? ["runs sudo"] : [],
    plainSudo: isPlain ? words.slice(1) : null,
    protectedUses: /openclaw approvals|openclaw\.json/.test(text)
      ? ["it would touch the gateway's approvals or config"]
      : [],
  };
}
