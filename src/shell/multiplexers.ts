import { type Call, type Frame, within } from "./machine.ts";
import { HOLE, isKnown, literally } from "./marks.ts";
import { hasOption, readOptions, valuesOf } from "./options.ts";
import { contentOf } from "./redirects.ts";
import { runCode } from "./shells.ts";

/** Commands of tmux that start a program or a shell text, by their names and short names; others start none. */
const STARTS =
  /^(?:new|new-session|new-window|neww|split-window|splitw|split-pane|splitp|respawn-pane|respawnp|respawn-window|respawnw|run|run-shell|popup|display-popup|pipe-pane|pipep|if|if-shell|send|send-keys)$/;
/** Commands whose words are commands of tmux again. */
const HOLDS = /^(?:bind|bind-key|set-hook|confirm|confirm-before|display-menu|menu|command-prompt|if|if-shell)$/;
/** Options with a value, by the beginning of the command's name. Source: tmux(1). */
const VALUED: readonly (readonly [verb: RegExp, short: string])[] = [
  [/^(?:popup|display-popup)$/, "bcdehsStTwxy"],
  [/^send/, "cNt"],
  [/^run/, "cdt"],
  [/^(?:if|pipe)/, "t"],
  [/^bind/, "NT"],
  [/^confirm/, "cpt"],
  [/^(?:menu|display-menu)$/, "cbCHsStTxy"],
  [/^command-prompt$/, "IptT"],
  [/^/, "ceFflnpstxy"],
];

/** `tmux [options] command ; command ...`, with the commands of the file after -f before them. */
export function runTmux(call: Call): string {
  const { machine, frame, args } = call;
  const read = readOptions(args, { short: "cfLST" });
  const inner = within(frame, "tmux");
  for (const code of valuesOf(read, "-c")) machine.runText(code, inner);
  for (const file of valuesOf(read, "-f")) followFile(call, contentOf(machine, file, frame), inner);
  followTmux(call, read.operands, inner);
  // With -C the commands come from the input.
  if (hasOption(read, "-C") && frame.stdin !== null) followFile(call, frame.stdin, inner);
  return HOLE;
}

function followFile(call: Call, text: string, frame: Frame): void {
  if (!isKnown(text)) return;
  for (const line of text.split("\n")) followTmux(call, wordsOf(call, line), { ...frame, depth: frame.depth + 1 });
}

/** The words of a command of tmux as far as quotes make them. */
function wordsOf({ machine }: Call, line: string): string[] {
  return machine.parse(line.replace(/;/g, "\\;")).map((word) => word.value);
}

function followTmux(call: Call, words: readonly string[], frame: Frame): void {
  let rest = words.map((word) => literally(word));
  while (rest.length > 0) {
    const end = rest.findIndex((word) => word.endsWith(";"));
    const last = end === -1 ? "" : (rest[end] ?? "").slice(0, -1);
    const command = end === -1 ? rest : [...rest.slice(0, end), ...(last === "" ? [] : [last])];
    followTmuxCommand(call, command, frame);
    rest = end === -1 ? [] : rest.slice(end + 1);
  }
}

function followTmuxCommand(call: Call, [verb = "", ...args]: readonly string[], frame: Frame): void {
  const { machine } = call;
  if (frame.depth > call.frame.depth + 12) return void machine.opaque.add("tmux is told too much to follow");
  const isTyped = verb.startsWith("send");
  const read = readOptions(args, { short: VALUED.find(([name]) => name.test(verb))?.[1] ?? "" });
  const operands = read.operands.filter((word) => !isTyped || !/^(?:Enter|C-m|KPEnter)$/.test(word));
  if (verb === "source" || verb === "source-file") {
    for (const file of operands)
      followFile(call, contentOf(machine, file, frame), { ...frame, depth: frame.depth + 4 });
    return;
  }
  if (STARTS.test(verb) && operands.length > 0) {
    // One word is a shell's text; several are a program's words.
    const [first = ""] = operands;
    const isText = operands.length === 1 || isTyped || HOLDS.test(verb) || verb.startsWith("run");
    if (isText)
      runCode({ machine, frame, name: "tmux", args: [] }, isTyped ? operands.join("") : first, "what tmux runs");
    else machine.runWords(operands, frame);
  }
  if (!HOLDS.test(verb)) return;
  const deeper = { ...frame, depth: frame.depth + 4 };
  for (const word of operands) if (/\s/.test(word)) followTmux(call, wordsOf(call, word), deeper);
  if (verb.startsWith("bind")) followTmux(call, operands.slice(1), deeper);
}

/** A new window runs a command; typed keys are a shell's input. */
export function runMultiplexer({ machine, frame, name, args }: Call): string {
  const inner = within(frame, name);
  const at = args.findIndex((arg) => /^(?:run|stuff|exec|action|write-chars)$/.test(arg));
  if (at === -1) {
    const spec = { short: "cehpsStTX" };
    const read = readOptions(args, spec);
    for (const line of valuesOf(read, "-c").flatMap((file) => contentOf(machine, file, frame).split("\n"))) {
      const started = /^\s*(?:screen|exec|stuff)\s+(?:-\S+\s+\S+\s+)?(.+)$/.exec(line);
      if (started !== null) machine.runText(started[1] ?? "", inner);
    }
    const isOther = hasOption(read, "-r", "-x", "-X") || read.options.some((option) => option.name === "-l");
    return read.operands.length > 0 && !isOther ? machine.runWords(read.operands, inner) : HOLE;
  }
  const words = args.slice(at + 1).filter((word) => word !== "--");
  if (words.length === 0) return HOLE;
  if (args[at] !== "stuff" && words.length > 1)
    return machine.runWords(
      words.filter((word) => !/^[.!|:]+$/.test(word)),
      inner,
    );
  return runCode(
    { machine, frame: inner, name, args: [] },
    words.join(" ").replace(/\\[nr]$|\^M$/, ""),
    `what ${name} runs`,
  );
}
