import { parseSudoArgs } from "../../src/shell/parse-sudo-args.ts";
import { PROBE, type SudoRun } from "./sudo-oracle.ts";

/** How real sudo and `parseSudoArgs` may differ about one line: not at all, or this. */
export function disagreement(
  { argv, ran }: SudoRun,
  callerCwd: string,
  uidOf: (account: string) => string | null,
): string | null {
  const parsed = parseSudoArgs(argv);
  switch (parsed.kind) {
    case "passthrough":
      return ran === null ? null : "passed through, and the command ran";
    case "refuse":
      return null;
    case "request": {
      if (ran === null) {
        // Debian's sudoers lets nobody choose folder or time limit, so sudo refuses what we bind ourselves;
        // a name that is no program or no account is found out later.
        const isBound = parsed.cwd !== null || parsed.timeoutMs !== null;
        const isUnknown = parsed.argv[0] !== PROBE || uidOf(parsed.runAs) === null;
        return isBound || isUnknown ? null : "taken as a request that sudo refuses";
      }
      const meant = { uid: uidOf(parsed.runAs), cwd: parsed.cwd ?? callerCwd, env: parsed.env, argv: parsed.argv };
      const did = { uid: ran.uid, cwd: ran.cwd, env: ran.env, argv: [PROBE, ...ran.args] };
      return sorted(meant) === sorted(did) ? null : `meant ${sorted(meant)}, did ${sorted(did)}`;
    }
  }
}

function sorted(value: { env: Readonly<Record<string, string>> }): string {
  const env = Object.fromEntries(Object.entries(value.env).sort(([a], [b]) => (a < b ? -1 : 1)));
  return JSON.stringify({ ...value, env });
}
