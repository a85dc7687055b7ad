import { escapeControl } from "../core/text.ts";

export type ScriptHead =
  | { readonly kind: "program" }
  | { readonly kind: "script"; readonly interpreter: string }
  /** `#!/usr/bin/env name`: `env` and, on the fixed path, the name. */
  | { readonly kind: "env-script"; readonly env: string; readonly name: string }
  | { readonly kind: "unknown"; readonly message: string };

const ELF = Buffer.from([0x7f, 0x45, 0x4c, 0x46]);

/** How the kernel will run a file that begins with these (at most 256) bytes. */
export function parseScriptHead(head: Buffer): ScriptHead {
  if (head.subarray(0, 4).equals(ELF)) return { kind: "program" };
  if (head.subarray(0, 2).toString("latin1") !== "#!") {
    // sudo would hand such a file to /bin/sh, and a registered binary format to anything.
    return unknown("it is neither a program nor a script with an interpreter line");
  }
  const end = head.indexOf(0x0a);
  if (end === -1) return unknown("its interpreter line is longer than the kernel reads");
  const line = head.subarray(2, end).toString("utf8");
  const [interpreter, ...words] = line.split(/[ \t]+/).filter((word) => word !== "");
  if (interpreter === undefined || !interpreter.startsWith("/") || /[\0\ufffd\r]/.test(line)) {
    return unknown(`its interpreter line is not usable: ${escapeControl(line)}`);
  }
  if (interpreter.slice(interpreter.lastIndexOf("/") + 1) !== "env") return { kind: "script", interpreter };
  const name = words[0] === "-S" ? words[1] : words[0];
  if (name === undefined || !/^[A-Za-z0-9_][A-Za-z0-9_.+-]*$/.test(name)) {
    return unknown(`what env starts cannot be told: ${escapeControl(line)}`);
  }
  return { kind: "env-script", env: interpreter, name };
}

function unknown(message: string): ScriptHead {
  return { kind: "unknown", message };
}
