import { decodeBase64, decodeHex } from "./decode.ts";
import { ELEVATOR_NAMES, isElevatorName } from "./elevators.ts";
import { literally } from "./marks.ts";

/** Words of prose that are elevators only where they are started. */
const PROSE: ReadonlySet<string> = new Set(["please", "super", "sg", "newgrp", "userhelper"]);
const NAMES = [
  ...ELEVATOR_NAMES.filter((name) => isElevatorName(name) && !PROSE.has(name)),
  "nsenter",
  "chroot",
  "systemd-run",
  "machinectl",
]
  .map((name) => name.replaceAll(".", "\\."))
  .join("|");
const PROGRAM = `(?:[\\w./~-]{0,80}/)?(?:${NAMES})`;

const ANY_NAME = new RegExp(`\\b(?:${NAMES})\\b`, "g");

/** A whole word that is an elevator or the path of one. */
const IS_PROGRAM = new RegExp(`^${PROGRAM}$`);
/** A word that is a command line which begins with an elevator, perhaps after an option's name or a mark of its own. */
const IS_COMMAND_LINE = new RegExp(
  `^(?:--?[\\w.-]{1,60}=|-\\w|[A-Za-z_][\\w.-]{0,60}=|\\w{0,40}Command )?(?:exec[=: ]|[!|@]|system[: ])?\\s{0,4}${PROGRAM}\\s+\\S`,
);
/** The start of a line, of a string, of a list, or what stands before a command in one of many languages. */
const IN_COMMAND_PLACE = new RegExp(
  `(?:^|[\\n;&|(){}\`"'=:,[>!\\t/<]|\\b(?:then|do|else|exec|env|time|command|nohup|run|sh|system|spawn|COMMAND|qw|ProxyCommand)\\b)[ @+-]{0,20}${PROGRAM}(?=["'\`]|[\\s,;)\\]|&}%]|$)`,
);
const CONTAINER =
  /\b(?:docker|podman|nerdctl|ctr)\b[^\n]{0,200}\s(?:--privileged|--pid[= ]host|-v\s+\/:|--volume[= ]\/:)/;

/** True for a word that is the name or the path of an elevator. */
export function isElevatorWord(word: string): boolean {
  return IS_PROGRAM.test(literally(word));
}

/** True for a word that is itself a command line for an elevator, such as `sudo id` in one pair of quotes. */
export function isElevatingLine(word: string): boolean {
  return IS_COMMAND_LINE.test(literally(word));
}

/** The text without the names of elevators. */
export function withoutNames(text: string): string {
  return text.replace(ANY_NAME, "");
}

/** A description of containers that holds the host. */
export function describesHost(text: string): boolean {
  return /^[\s-]{0,60}(?:privileged|hostPID|hostNetwork):\s{0,9}true|^[\s-]{0,60}pid:\s{0,9}["']?host|^\s{0,60}-\s{0,9}["']?(?:\/:|\/etc:|\/root:|\/var\/run\/docker\.sock)/m.test(
    text,
  );
}

/** True where a text names an elevator in a place where commands stand. */
export function namesElevator(text: string): boolean {
  return IN_COMMAND_PLACE.test(text) || CONTAINER.test(text);
}

/** Longer code is looked at as it is written only. */
const MAX_REVEALED = 20_000;

/** The same for code, whose strings may be put together, turned round or coded. */
export function codeNamesElevator(code: string): boolean {
  if (namesElevator(code)) return true;
  if (code.length > MAX_REVEALED) return false;
  const joined = code.replace(/["']\s{0,20}(?:\+|\.{1,2}|,|<>|&|~)?\s{0,20}["']/g, "");
  const texts = [joined, rot13(joined), Array.from(joined).toReversed().join("")];
  for (const [numbers] of code.matchAll(/\d{2,3}(?:\s{0,4},\s{0,4}\d{2,3}){3,}/g))
    texts.push(String.fromCharCode(...numbers.split(",").slice(0, 1_000).map(Number)));
  for (const [hex] of code.matchAll(/(?:\\x[0-9a-fA-F]{2}|0x[0-9a-fA-F]{2}\s{0,4},?\s{0,4}){2,}/g))
    texts.push(decodeHex(hex.replace(/\\x|0x|[,\s]/g, "")));
  for (const [word] of code.matchAll(/[A-Za-z0-9+/]{4,}={0,2}/g)) {
    texts.push(decodeBase64(word));
    if (/^(?:[0-9a-fA-F]{2}){4,}$/.test(word)) texts.push(decodeHex(word));
  }
  return texts.some((text) => namesElevator(text));
}

function rot13(text: string): string {
  return text.replace(/[a-z]/gi, (letter) => {
    const base = letter <= "Z" ? 65 : 97;
    return String.fromCharCode(((letter.charCodeAt(0) - base + 13) % 26) + base);
  });
}
