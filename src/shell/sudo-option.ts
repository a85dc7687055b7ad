import type { SudoRefusalCode } from "./sudo-refusal.ts";

/** What an option means to us. */
export type OptionMeaning =
  /** Changes nothing in what runs. */
  | { readonly kind: "no-effect" }
  | { readonly kind: "fresh" }
  | { readonly kind: "no-update" }
  | { readonly kind: "non-interactive" }
  | { readonly kind: "user" }
  | { readonly kind: "folder" }
  | { readonly kind: "timeout" }
  /** Shows or forgets something when it is the only word; never beside a command. */
  | { readonly kind: "informative"; readonly code: SudoRefusalCode }
  | { readonly kind: "refused"; readonly code: SudoRefusalCode };

export interface SudoOption {
  readonly letter: string;
  readonly long: string;
  readonly value: "none" | "required" | "optional";
  readonly meaning: OptionMeaning;
}

const refused = (
  letter: string,
  long: string,
  code: SudoRefusalCode,
  value: SudoOption["value"] = "none",
): SudoOption => ({
  letter,
  long,
  value,
  meaning: { kind: "refused", code },
});
const plain = (
  letter: string,
  long: string,
  kind: "no-effect" | "fresh" | "no-update" | "non-interactive",
): SudoOption => ({
  letter,
  long,
  value: "none",
  meaning: { kind },
});
const informative = (letter: string, long: string, code: SudoRefusalCode = "not-alone"): SudoOption => ({
  letter,
  long,
  value: "none",
  meaning: { kind: "informative", code },
});

/** Every option of sudo 1.9, also those of other builds, so that each is refused by name. Source: sudo(8). */
export const SUDO_OPTIONS: readonly SudoOption[] = [
  refused("A", "askpass", "option-askpass"),
  refused("a", "auth-type", "option-auth-type", "required"),
  refused("b", "background", "option-background"),
  plain("B", "bell", "no-effect"),
  refused("C", "close-from", "option-close-from", "required"),
  refused("c", "login-class", "option-login-class", "required"),
  { letter: "D", long: "chdir", value: "required", meaning: { kind: "folder" } },
  refused("E", "preserve-env", "option-preserve-env", "optional"),
  refused("e", "edit", "option-edit"),
  refused("g", "group", "option-group", "required"),
  plain("H", "set-home", "no-effect"),
  // -h is help, and -h HOST beside anything else.
  informative("h", "help", "option-host"),
  refused("", "host", "option-host", "required"),
  refused("i", "login", "option-login"),
  informative("K", "remove-timestamp"),
  plain("k", "reset-timestamp", "fresh"),
  informative("l", "list"),
  plain("n", "non-interactive", "non-interactive"),
  plain("N", "no-update", "no-update"),
  refused("P", "preserve-groups", "option-preserve-groups"),
  // The prompt's text is the caller's and nobody is shown it.
  { letter: "p", long: "prompt", value: "required", meaning: { kind: "no-effect" } },
  refused("R", "chroot", "option-chroot", "required"),
  refused("r", "role", "option-role", "required"),
  refused("S", "stdin", "option-stdin"),
  refused("s", "shell", "option-shell"),
  { letter: "T", long: "command-timeout", value: "required", meaning: { kind: "timeout" } },
  refused("t", "type", "option-type", "required"),
  refused("U", "other-user", "option-other-user", "required"),
  { letter: "u", long: "user", value: "required", meaning: { kind: "user" } },
  informative("V", "version"),
  refused("v", "validate", "option-validate"),
];

/** Words that, alone, neither run a command nor ask for a password. */
export const INFORMATIVE_WORDS: readonly string[] = [
  "-h",
  "--help",
  "-V",
  "--version",
  "-k",
  "--reset-timestamp",
  "-K",
  "--remove-timestamp",
  "-l",
  "--list",
  "-ll",
];
