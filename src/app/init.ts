import { SecurityError } from "../core/error.ts";

/** The four files an owner reviews, by the name they have in `<state>/security/`. */
export const POLICY_FILES = [
  "approved_ports.json",
  "command-policy.json",
  "egress_allowlist.json",
  "prompt-policy.json",
] as const;
export type PolicyFileName = (typeof POLICY_FILES)[number];

export interface InitDeps {
  readonly prepareFolder: () => Promise<void>;
  readonly readTemplate: (name: PolicyFileName) => Promise<string>;
  /** Fails with file-exists rather than replacing anything. Returns the path. */
  readonly create: (name: PolicyFileName, text: string) => Promise<string>;
  readonly pathOf: (name: PolicyFileName) => string;
}

export interface InitReport {
  readonly schemaVersion: 1;
  readonly created: readonly string[];
  /** Files that were there before and are untouched. */
  readonly kept: readonly string[];
}

/**
 * Writes each policy file from its template unless one is there.
 * @throws {SecurityError} what the effects throw, but file-exists, which is the expected case
 */
export async function initPolicyFiles(deps: InitDeps): Promise<InitReport> {
  await deps.prepareFolder();
  const created: string[] = [];
  const kept: string[] = [];
  for (const name of POLICY_FILES) {
    try {
      created.push(await deps.create(name, await deps.readTemplate(name)));
    } catch (thrown) {
      // Anything at the path, even a dangling link, is somebody's and stays as it is.
      const isThere =
        thrown instanceof SecurityError &&
        ["file-exists", "state-file-symlink", "state-file-not-regular"].includes(thrown.code);
      if (!isThere) throw thrown;
      kept.push(deps.pathOf(name));
    }
  }
  return { schemaVersion: 1, created, kept };
}
