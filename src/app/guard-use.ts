import { baseName } from "../core/path.ts";
import { readCommands } from "../shell/read-commands.ts";

/** Where the guards of this gateway lie, as they may be written in a command. */
export interface GuardPlaces {
  /** Absolute paths that no command may name. */
  readonly paths: readonly string[];
  readonly home: string | null;
}

/** Commands of `openclaw` that answer approvals or change what the gateway lets happen. */
const OPENCLAW = new Set([
  "approvals",
  "exec-approvals",
  "exec-policy",
  "config",
  "configure",
  "plugins",
  "devices",
  "pairing",
  "secrets",
  "onboard",
  "reset",
  "uninstall",
]);
const SIGNALLERS = new Set(["kill", "pkill", "killall", "skill"]);
const GATEWAY_METHODS = /\b(?:plugin\.approval|approval|exec\.approval|device\.pair|config|plugins)\.[a-z]/;

/** Why a command touches what guards this machine, in words; empty where it does not, as far as its words are known. */
export function findGuardUses(text: string, { paths, home }: GuardPlaces): readonly string[] {
  const uses = new Set<string>();
  const names = paths.flatMap((path) => spellings(path, home));
  // Also as the text has it: a word with "~" or a variable in it is known only when it runs.
  const isNamed = (words: string): boolean => names.some((name) => namesGuard(words, name));
  if (isNamed(text.replaceAll(/["'\\]/g, ""))) uses.add("it names a file that guards this machine");
  for (const { words, redirects } of readCommands(text).commands) {
    const all = [...words, ...redirects.map(({ target }) => target)].filter((word) => word !== null);
    const program = baseName(words[0] ?? "");
    if (all.some(isNamed)) uses.add("it names a file that guards this machine");
    if (/^openclaw(?:\.mjs)?$/.test(program) || all.some((word) => baseName(word) === "openclaw.mjs")) {
      if (all.some((word) => OPENCLAW.has(word))) uses.add("it would change or answer what the gateway guards");
      if (all.includes("gateway") && all.some((word) => /^(?:stop|restart|uninstall|install)$/.test(word))) {
        uses.add("it would stop the gateway");
      }
    }
    if (all.some((word) => GATEWAY_METHODS.test(word) && /^(?:openclaw|node|wscat|websocat|curl)/.test(program))) {
      uses.add("it would answer approvals or change the gateway");
    }
    if (SIGNALLERS.has(program) && all.some((word) => /openclaw|gateway/i.test(word)))
      uses.add("it would signal the gateway");
    if (/^(?:cse|cyber-security-engineer)$/.test(program) && all.includes("approvers"))
      uses.add("it would change whose yes counts");
  }
  return [...uses];
}

function spellings(path: string, home: string | null): readonly string[] {
  if (home === null || !path.startsWith(`${home}/`)) return [path];
  const rest = path.slice(home.length);
  return [path, `~${rest}`, `$HOME${rest}`, `\${HOME}${rest}`];
}

/** The reports below a guarded folder are there to be read. */
function namesGuard(words: string, name: string): boolean {
  for (let at = words.indexOf(name); at !== -1; at = words.indexOf(name, at + 1)) {
    if (!words.startsWith("/assessments", at + name.length)) return true;
  }
  return false;
}
