/**
 * Checks the labels of test/fixtures/shell/labelled-commands.json by running every command that is
 * not `unverified-`, as root on a machine with the account of the CI set-up:
 * `node test/helpers/record-elevations.ts [--write] [--tools FOLDER] [--file FILE] [--only ID]`.
 * Prints one line of JSON per command; exits 1 when a label is wrong. --write corrects the labels.
 */
import { execFileSync, spawn } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { collect } from "./unprivileged.ts";

interface LabelledCommand {
  readonly id: string;
  readonly command: string;
  readonly expected: "elevates" | "not-elevates";
  readonly technique: string;
  readonly over_approximation_ok: boolean;
}

const FIXTURES = fileURLToPath(new URL("../fixtures/shell/", import.meta.url));
const NAMESPACES = ["--mount", "--net", "--ipc", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc"];
const WORKERS = 2;

/** Host folders whose mount gives a container the machine; a mount of the project does not count. */
const HOST_MOUNT = /^(?:\/$|\/(?:etc|root|var|home|boot|dev|proc|sys|usr|lib|opt)(?:\/|$))/;

function mountsHost(args: readonly string[]): boolean {
  return args.some((arg, at) => {
    const value = /^(?:-v|--volume|--mount)$/.test(arg)
      ? (args[at + 1] ?? "")
      : arg.replace(/^(?:-v|--volume=|--mount=)/, "");
    if (value === arg && !/^-v|^--(?:volume|mount)/.test(arg)) return false;
    const source = /(?:^|,)(?:source|src)=([^,]*)/.exec(value)?.[1] ?? value.split(":")[0] ?? "";
    return HOST_MOUNT.test(source) && !source.includes("/project");
  });
}

/** Whether one start of a recorder is an elevation: some programs elevate only with certain arguments. */
function elevates(program: string, args: readonly string[]): boolean {
  switch (program) {
    case "docker":
    case "podman":
      return (
        args.some((arg) =>
          /^--(?:privileged(?:=true)?$|(?:pid|userns|ipc)=host|cap-add=(?:ALL|SYS_ADMIN)|device)/.test(arg),
        ) || mountsHost(args)
      );
    case "systemd-run":
      return !args.includes("--user");
    case "machinectl":
      return args.includes("shell");
    case "setpriv":
      return args.some((arg) => /^--(?:re|e|r)(?:uid|gid)/.test(arg));
    default:
      return true;
  }
}

interface Recording {
  readonly recorded: LabelledCommand["expected"];
  readonly started: readonly string[];
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function record(command: string, options: { recorder: string; user: string; tools: string }): Promise<Recording> {
  const stage = mkdtempSync(join(tmpdir(), "cse-record-"));
  copyFileSync(options.recorder, join(stage, "recorder"));
  copyFileSync(join(FIXTURES, "world.sh"), join(stage, "world.sh"));
  writeFileSync(join(stage, "command"), command);
  const words = [...NAMESPACES, "bash", join(stage, "world.sh"), stage, options.user, options.tools];
  const child = spawn("unshare", words, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" },
  });
  const { exitCode, stdout, stderr } = await collect(child);
  const lines = readFileSync(join(stage, "started"), "utf8").split("\n").slice(0, -1);
  rmSync(stage, { recursive: true });
  const hit = lines.some((line) => {
    const [file = "", name = "", ...args] = line.split("\0");
    // A copy has its own name; what it was started as is then the only name left.
    const program = file.startsWith("/usr/") ? file : name;
    return elevates(program.replace(/^.*\//, ""), args);
  });
  const started = lines.map((line) => line.split("\0").join(" "));
  return { recorded: hit ? "elevates" : "not-elevates", started, exitCode, stdout, stderr };
}

const { values } = parseArgs({
  options: {
    write: { type: "boolean", default: false },
    tools: { type: "string", default: "-" },
    file: { type: "string", default: join(FIXTURES, "labelled-commands.json") },
    only: { type: "string" },
  },
});
const commands = JSON.parse(readFileSync(values.file, "utf8")) as LabelledCommand[];
const folder = mkdtempSync(join(tmpdir(), "cse-recorder-"));
const recorder = join(folder, "recorder");
execFileSync("cc", ["-o", recorder, join(FIXTURES, "recorder.c")]);
const options = { recorder, user: process.env["CSE_TEST_USER"] ?? "nobody", tools: values.tools };
const queue = commands.filter(
  ({ id, technique }) => !technique.startsWith("unverified-") && (values.only === undefined || values.only === id),
);
const labels = new Map<string, LabelledCommand["expected"]>();
let wrong = 0;
const work = async (): Promise<void> => {
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const { id, expected, technique, command } = next;
    const recording = await record(command, options);
    labels.set(id, recording.recorded);
    if (recording.recorded !== expected) wrong += 1;
    process.stdout.write(`${JSON.stringify({ id, technique, expected, ...recording })}\n`);
  }
};
await Promise.all(Array.from({ length: WORKERS }, work));
rmSync(folder, { recursive: true });
if (values.write) {
  const rows = commands.map((row) => JSON.stringify({ ...row, expected: labels.get(row.id) ?? row.expected }));
  writeFileSync(values.file, `[\n${rows.join(",\n")}\n]\n`);
}
process.exitCode = wrong === 0 ? 0 : 1;
