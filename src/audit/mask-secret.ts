/**
 * Takes secrets out of what is recorded. Rules for known shapes, so a secret in a shape of its own stays:
 * when in doubt a word is masked, for the request digest still fixes the whole.
 */
const MASK = "***";

export interface MaskedText {
  readonly text: string;
  readonly isMasked: boolean;
}

const SECRET_NAME =
  "(?:pass(?:w(?:or)?d|phrase|code)?|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|encryption[_-]?key|credentials?|auth(?:orization)?|cookie|bearer|signature|otp)";
const SECRETISH = new RegExp(`(?:^|[^A-Za-z])${SECRET_NAME}(?:$|[^a-z])|${SECRET_NAME}$`, "i");
/** A secret's place, form or kind, not the secret. */
const HARMLESS_NAME = /(?:file|path|dir|stdin|fd|env|type|policy|age|length|mode|socket|sock)$/i;
/** `name=value`, `name: value`, `"name": "value"` inside any text. What stands before the name stays anyway. */
const ASSIGNMENT = new RegExp(
  `(${SECRET_NAME}(?:[0-9_-][A-Za-z0-9_-]{0,24})?)(["']?\\s{0,8}[=:]\\s{0,8})("[^"]*(?:"|$)|'[^']*(?:'|$)|[^\\s&;|,"'\`)]+)`,
  "gi",
);

/** Shapes that give themselves away wherever they stand. Every repetition is bounded or takes all it can. */
const SHAPES: readonly (readonly [RegExp, string])[] = [
  // scheme://user:password@host and scheme://token@host
  [/\b([a-z][a-z0-9+.-]{0,30}:\/\/[^\s/@:?#]{0,200}:)[^\s/]{1,400}@/gi, `$1${MASK}@`],
  [/\b(https?:\/\/)[^\s/@:?#]{1,400}@/gi, `$1${MASK}@`],
  // The value of a header reaches to the end of the word or line.
  [
    /\b((?:proxy-)?authorization|(?:set-)?cookie|x-[a-z-]{0,40}(?:key|token|secret|auth))(["']?\s{0,8}:\s{0,8})[^\r\n"']+/gi,
    `$1$2${MASK}`,
  ],
  [/\b(bearer|basic)(\s{1,8})[A-Za-z0-9._~+/=-]{6,}/gi, `$1$2${MASK}`],
  [/\b((?:mysql|mariadb)[a-z_-]{0,20}\b[^|;&\n]{0,200}?\s-p|sshpass\s{1,8}-p\s{0,8})[^\s"']+/g, `$1${MASK}`],
  [/\b(curl\b[^|;&\n]{0,200}?\s(?:-u|--user)[\s=]{0,8}["']?[^\s:"']{0,200}:)[^\s"']+/g, `$1${MASK}`],
  [/\b(?:gh[opsur]_|github_pat_|glpat-|xox[abeprs]-|sk-|sk_live_|rk_live_|npm_|pypi-|AIza)[A-Za-z0-9_-]{10,}/g, MASK],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g, MASK],
  [/\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*)?/g, MASK],
  [/-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|$)/g, MASK],
];

/** Digests and ids hold nothing to mask, nor do short words: every shape has one of these characters, or is longer. */
const PLAIN = /^[0-9a-f-]*$/;
const SUSPECT = /[:=@\s]|[A-Za-z0-9_.-]{13}/;

/** Masks secrets in free text, such as a reason or an error message. */
export function maskText(text: string): MaskedText {
  if (PLAIN.test(text) || !SUSPECT.test(text)) return { text, isMasked: false };
  let masked = text;
  for (const [shape, replacement] of SHAPES) masked = masked.replace(shape, replacement);
  masked = masked.replace(ASSIGNMENT, (whole, name: string, between: string) =>
    HARMLESS_NAME.test(name) ? whole : `${name}${between}${MASK}`,
  );
  return { text: masked, isMasked: masked !== text };
}

/** Masks a value by the name it goes by. */
export function maskNamed(name: string, value: string): MaskedText {
  if (value !== "" && isSecretName(name)) return { text: MASK, isMasked: true };
  return maskText(value);
}

/** Options that take a secret as their next word ("-p x"), as the rest of their own ("-px"), or both. */
const SECRET_OPTIONS: readonly {
  readonly programs: RegExp;
  readonly next?: readonly string[];
  readonly attached?: readonly string[];
  /** Only when this word is among them. */
  readonly verb?: string;
  /** The secret is only what follows the first of these characters in the value. */
  readonly after?: RegExp;
}[] = [
  { programs: /^(?:mysql|mariadb)[a-z_-]*$/, attached: ["-p"] },
  { programs: /^sshpass$/, next: ["-p"], attached: ["-p"] },
  { programs: /^curl$/, next: ["-u", "--user", "-U", "--proxy-user"], attached: ["-u", "-U"], after: /:/ },
  { programs: /^redis-cli$/, next: ["-a", "--pass"] },
  { programs: /^(?:ldap[a-z]+)$/, next: ["-w"], attached: ["-w"] },
  { programs: /^(?:smbclient|rpcclient|mount\.cifs|net)$/, next: ["-U"], attached: ["-U"], after: /%/ },
  { programs: /^(?:mongo|mongosh|mongodump|mongorestore)$/, next: ["-p"] },
  { programs: /^(?:useradd|usermod|groupmod|groupadd)$/, next: ["-p"], attached: ["-p"] },
  { programs: /^openssl$/, next: ["-passin", "-passout", "-pass", "-k", "-K", "-psk"] },
  { programs: /^(?:docker|podman|skopeo|helm|oc|nerdctl|crane)$/, verb: "login", next: ["-p"] },
  { programs: /^(?:zip|unzip|7z|7za|unrar|rar)$/, next: ["-P"], attached: ["-P", "-p", "-hp"] },
];

/**
 * Masks the words of a command. Words keep their places; a word that holds a secret keeps what says which
 * option it was.
 */
export function maskArgv(argv: readonly string[]): readonly MaskedText[] {
  const names = argv.map((word) => word.slice(word.lastIndexOf("/") + 1));
  const rules = SECRET_OPTIONS.filter(
    ({ programs, verb }) => names.some((name) => programs.test(name)) && (verb === undefined || argv.includes(verb)),
  );
  let maskNext: ((value: string) => string) | null = null;
  return argv.map((word, index) => {
    if (maskNext !== null) {
      const mask: (value: string) => string = maskNext;
      maskNext = null;
      return changed(word, mask(word));
    }
    const before = argv[index - 1] ?? "";
    // The text of a shell is no NAME=value, also when it begins with one.
    if (index === 0 || /^-[a-z]*c$/.test(before)) return maskText(word);
    const attached = maskAttached(word, rules);
    if (attached !== null) return changed(word, attached);
    const next = maskerOfNext(word, rules);
    if (next !== null && !(argv[index + 1] ?? "-").startsWith("-")) {
      maskNext = next;
      return maskText(word);
    }
    return changed(word, maskAssignment(word) ?? maskText(word).text);
  });
}

function changed(before: string, text: string): MaskedText {
  return { text, isMasked: text !== before };
}

/** How the word after this option is masked; null when it is no secret. */
function maskerOfNext(word: string, rules: typeof SECRET_OPTIONS): ((value: string) => string) | null {
  const rule = rules.find(({ next }) => next?.includes(word) === true);
  if (rule !== undefined) return (value) => maskAfter(value, rule.after);
  if (/^--?[A-Za-z][A-Za-z0-9_.-]*$/.test(word) && isSecretName(word)) return () => MASK;
  return null;
}

/** `-pSECRET` of the programs that take it so; null for any other word. */
function maskAttached(word: string, rules: typeof SECRET_OPTIONS): string | null {
  if (word.startsWith("--")) return null;
  for (const { attached, after } of rules) {
    const option = attached?.find((flag) => word.startsWith(flag) && word.length > flag.length);
    if (option !== undefined) return `${option}${maskAfter(word.slice(option.length), after)}`;
  }
  return null;
}

/** `NAME=value`, `--name=value`: the value is the whole rest, white space and quotes included; null for any other word. */
function maskAssignment(word: string): string | null {
  const [, name] = /^(-{0,2}[A-Za-z_][A-Za-z0-9_.-]*)=[\s\S]+$/.exec(word) ?? [];
  return name === undefined || !isSecretName(name) ? null : `${name}=${MASK}`;
}

function maskAfter(value: string, after: RegExp | undefined): string {
  const at = after === undefined ? 0 : value.search(after) + 1;
  // Without the separator the program will ask for the secret itself.
  return after !== undefined && at === 0 ? value : `${value.slice(0, at)}${MASK}`;
}

function isSecretName(name: string): boolean {
  return SECRETISH.test(name) && !HARMLESS_NAME.test(name);
}
