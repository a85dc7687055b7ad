import type { ResolvedCommand, UsableSudo } from "../core/elevation.ts";
import { type Refusal, refuse } from "../core/refusal.ts";
import { clip } from "../core/text.ts";
import type { RunTool } from "./run-tool.ts";

const TIMEOUT_MS = 10_000;

/**
 * Asks sudo whether it would run this, before a human is bothered. `-l` with a command executes
 * nothing and `-n` never prompts. Null means that sudo's rules name the command, not that the run
 * will do: sudo 1.9.13 answers `-l` without a password as soon as any one rule of the user needs
 * none, and looks at assignments only when it runs. What it then refuses, it refuses itself.
 * `password-required` is no obstacle where sudo can ask a human itself; sudo gives the same answer
 * to a user who has no rule at all.
 */
export async function preflightSudo(
  resolved: ResolvedCommand,
  sudo: UsableSudo,
  runTool: RunTool,
): Promise<Refusal | null> {
  const answer = await runTool({
    file: sudo.identity.path,
    args: ["-k", "-n", "-l", ...sudoWords(resolved, [])],
    timeoutMs: TIMEOUT_MS,
    maxBytes: 256 * 1024,
  });
  if (answer.kind === "failed") return refuse("sudo-unusable", `sudo gave no answer: ${clip(answer.message, 300)}`);
  if (answer.exitCode === 0) return null;
  const said = clip(answer.stderr.trim(), 300);
  if (/\b(?:a password is required|interactive authentication is required)\b/i.test(answer.stderr)) {
    return refuse("password-required", "sudo wants a password for this, or has no rule for this user");
  }
  if (/no new privileges/i.test(answer.stderr)) return refuse("no-new-privs", said);
  if (/effective uid is not 0|must be owned by uid 0|must be setuid|setuid bit/i.test(answer.stderr))
    return refuse("sudo-unusable", said);
  return refuse("sudo-denied", said === "" ? "sudo's rules do not name this command" : `sudo says: ${said}`);
}

/**
 * User, assignments and command as sudo takes them. The user is always named, because sudo's
 * default can be configured. sudo-rs takes no assignments with `-l`, and sudo ignores them there.
 */
export function sudoWords(resolved: ResolvedCommand, setting: readonly string[]): readonly string[] {
  const { request, binary, target } = resolved;
  // After `--` neither a leading dash nor an equals sign means anything to sudo.
  return ["-u", target.user, ...setting, "--", binary.path, ...request.argv.slice(1)];
}
