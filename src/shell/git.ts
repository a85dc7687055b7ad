import { type Call, within } from "./machine.ts";
import { exportedValue } from "./scope.ts";
import { HOLE } from "./marks.ts";
import { hasOption, readOptions, valuesOf } from "./options.ts";
import { quoteWord } from "./quote-word.ts";

const GLOBAL = { short: "cC", long: ["git-dir", "work-tree", "namespace", "config-env", "exec-path", "super-prefix"] };

/** Settings whose value git runs, whatever the sub-command; each is used by some of them only. */
const RUNS: readonly { readonly key: RegExp; readonly verbs: RegExp }[] = [
  {
    key: /^core\.pager$|^pager\./,
    verbs: /^(?:log|diff|show|blame|branch|tag|config|grep|stash|reflog|help|shortlog|range-diff|whatchanged|-)/,
  },
  {
    key: /^core\.editor$|^sequence\.editor$/,
    verbs: /^(?:commit|rebase|merge|tag|config|notes|revert|cherry-pick|branch|am|add)/,
  },
  {
    key: /^core\.sshcommand$|^core\.gitproxy$|^core\.askpass$|^credential(?:\..*)?\.helper$/,
    verbs: /^(?:fetch|pull|push|clone|ls-remote|remote|submodule|archive|credential|lfs)/,
  },
  { key: /^core\.fsmonitor$|^core\.alternaterefscommand$/, verbs: /./ },
  {
    key: /^diff\.external$|^diff\..*\.(?:command|textconv)$|^interactive\.difffilter$/,
    verbs: /^(?:diff|show|log|add|checkout|stash|blame|reset|restore|format-patch)/,
  },
  { key: /^filter\..*\.(?:clean|smudge|process)$|^merge\..*\.driver$/, verbs: /./ },
  {
    key: /^difftool\..*\.cmd$|^mergetool\..*\.cmd$|^browser\..*\.cmd$|^man\..*\.cmd$/,
    verbs: /^(?:difftool|mergetool|help|web--browse|instaweb)/,
  },
  { key: /^gpg(?:\..*)?\.program$/, verbs: /^(?:commit|tag|merge|verify|log|show|push|rebase)/ },
  { key: /^uploadpack\.packobjectshook$|^receive\./, verbs: /./ },
  { key: /^tar\..*\.command$/, verbs: /^archive/ },
  { key: /^sendemail\.|^imap\.tunnel$/, verbs: /^(?:send-email|imap-send)/ },
];

/** Aliases that begin with `!`, settings that name a command, and sub-commands that take one. */
export function runGit(call: Call): string {
  const { machine, frame, args } = call;
  const read = readOptions(args, GLOBAL);
  const [verb = "", ...rest] = read.operands;
  const settings: [string, string][] = [
    ...machine.gitConfig,
    ...environmentSettings(call),
    ...valuesOf(read, "-c").map((setting): [string, string] => splitSetting(setting)),
  ];
  if (verb === "config") rememberSetting(call, rest);
  // With -p the pager is used whatever is shown.
  followSettings(call, settings, verb, rest);
  if (hasOption(read, "-p", "--paginate"))
    followSettings(
      call,
      settings.filter(([key]) => key.toLowerCase() === "core.pager"),
      "log",
      [],
    );
  const inner = within(frame, `git ${verb}`);
  const options = readOptions(rest, {
    short: "xucO",
    long: [
      "exec",
      "upload-pack",
      "receive-pack",
      "extcmd",
      "open-files-in-pager",
      "tree-filter",
      "index-filter",
      "msg-filter",
      "env-filter",
      "commit-filter",
      "parent-filter",
      "tag-name-filter",
      "setup",
      "config",
      "gpg-sign",
      "template",
    ],
    isPermuted: verb !== "submodule" && verb !== "bisect",
  });
  for (const code of valuesOf(
    options,
    "--exec",
    "--extcmd",
    "--upload-pack",
    "--receive-pack",
    "--open-files-in-pager",
    "--tree-filter",
    "--index-filter",
    "--msg-filter",
    "--env-filter",
    "--commit-filter",
    "--parent-filter",
    "--tag-name-filter",
    "--setup",
  ))
    machine.runText(code, inner);
  if (/^(?:rebase|difftool)$/.test(verb)) for (const code of valuesOf(options, "-x")) machine.runText(code, inner);
  if (verb === "clone") {
    for (const code of valuesOf(options, "-u")) machine.runText(code, inner);
    followSettings(
      call,
      valuesOf(options, "-c", "--config").map((setting): [string, string] => splitSetting(setting)),
      "fetch",
      [],
    );
  }
  if (verb === "grep")
    for (const option of options.options)
      if (option.name === "-O" && option.value !== null) machine.runText(option.value, inner);
  for (const word of rest) if (word.startsWith("ext::")) machine.runText(word.slice(5).replaceAll("% ", " "), inner);
  if (verb === "bisect" && rest[0] === "run") machine.runWords(rest.slice(1), inner);
  if (verb === "submodule" && rest.includes("foreach"))
    machine.runText(
      rest
        .slice(rest.indexOf("foreach") + 1)
        .filter((word) => !/^--(?:recursive|quiet)$/.test(word))
        .join(" "),
      inner,
    );
  if (verb === "for-each-repo") machine.runWords(["git", ...options.operands], inner);
  return HOLE;
}

function splitSetting(setting: string): [string, string] {
  const equals = setting.indexOf("=");
  return equals === -1 ? [setting, "true"] : [setting.slice(0, equals), setting.slice(equals + 1)];
}

/** GIT_CONFIG_COUNT with its keys and values, and GIT_CONFIG_PARAMETERS. */
function environmentSettings({ machine, frame }: Call): [string, string][] {
  if (machine.riskyVariables.size === 0) return [];
  const numbered = Array.from({ length: 20 }, (_, at): [string, string] => [
    exportedValue(frame.scope, `GIT_CONFIG_KEY_${at}`) ?? "",
    exportedValue(frame.scope, `GIT_CONFIG_VALUE_${at}`) ?? "",
  ]);
  const parameters = [
    ...(exportedValue(frame.scope, "GIT_CONFIG_PARAMETERS") ?? "").matchAll(/'([^'=]+)(?:=|'=')([^']*)'/g),
  ].map((match): [string, string] => [match[1] ?? "", match[2] ?? ""]);
  return [...numbered.filter(([key]) => key !== ""), ...parameters];
}

/** What is set now holds for every later git of the text. */
function rememberSetting({ machine }: Call, rest: readonly string[]): void {
  const { operands, options } = readOptions(rest, {
    short: "f",
    long: ["file", "blob", "type", "default"],
    isPermuted: true,
  });
  const words = operands[0] === "set" || operands[0] === "add" ? operands.slice(1) : operands;
  const isReading = options.some(({ name }) => /^--(?:get|list|unset|remove)|^-l$/.test(name));
  const [key, value] = words;
  if (!isReading && key !== undefined && value !== undefined) machine.gitConfig.push([key, value]);
}

function followSettings(
  call: Call,
  settings: readonly (readonly [string, string])[],
  verb: string,
  rest: readonly string[],
): void {
  const { machine, frame } = call;
  for (const [written, value] of settings) {
    const key = written.toLowerCase();
    const inner = within(frame, `git ${written}`);
    if (key === `alias.${verb.toLowerCase()}`) {
      const words = rest.map((word) => quoteWord(word)).join(" ");
      if (value.startsWith("!")) machine.runText(`${value.slice(1)} ${words}`, inner);
      else machine.runText(`git ${value} ${words}`, { ...inner, depth: inner.depth + 8 });
    } else if (
      RUNS.some((each) => each.key.test(key) && each.verbs.test(verb)) &&
      !hasOption(readOptions(call.args, GLOBAL), "--version")
    ) {
      machine.runText(value.replace(/^!/, ""), inner);
    }
  }
}
