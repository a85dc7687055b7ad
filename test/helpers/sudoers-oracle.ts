import { execFileSync } from "node:child_process";
import { chmod, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toolPath } from "./requires.ts";

/** Why real sudo cannot be asked about a sudoers text of our own here, or null. */
export function sudoersObstacle(): string | null {
  if (process.getuid?.() !== 0) return "only root can put a sudoers file of its own before sudo";
  for (const tool of ["sudo", "visudo", "cvtsudoers", "unshare", "mount", "python3"]) {
    if (toolPath(tool) === null) return `${tool} not installed`;
  }
  try {
    execFileSync("unshare", ["-m", "mount", "--make-rprivate", "/"], { stdio: "ignore" });
    return null;
  } catch {
    return "mount namespaces are not allowed here";
  }
}

/** In a mount namespace of its own: the system's sudoers stays as it is for everybody else. */
const ASK = `
import json, subprocess, sys
sudoers, user, queries = sys.argv[1], sys.argv[2], json.load(sys.stdin)
subprocess.run(["mount", "--make-rprivate", "/"], check=True)
subprocess.run(["mount", "--bind", sudoers, "/etc/sudoers"], check=True)
ask = lambda argv: subprocess.run(["sudo", "-l", "-U", user, "--", *argv], capture_output=True).returncode == 0
print(json.dumps([ask(argv) for argv in queries]))
`;

/** For each command line, whether real sudo would let `user` run it as root under this sudoers text. */
export async function askSudo(
  text: string,
  user: string,
  queries: readonly (readonly string[])[],
): Promise<readonly boolean[]> {
  const answer = execFileSync("unshare", ["-m", "python3", "-c", ASK, await sudoersFile(text), user], {
    input: JSON.stringify(queries),
    encoding: "utf8",
  });
  return JSON.parse(answer) as boolean[];
}

/** What sudo's own parser makes of a sudoers text. */
export async function readSudoers(text: string): Promise<{ Command_Aliases: Record<string, { command: string }[]> }> {
  const answer = execFileSync("cvtsudoers", ["-f", "json", await sudoersFile(text)], { encoding: "utf8" });
  return JSON.parse(answer) as { Command_Aliases: Record<string, { command: string }[]> };
}

/** Null when visudo accepts the text, else what it says. */
export async function checkSudoers(text: string): Promise<string | null> {
  try {
    execFileSync("visudo", ["-c", "-f", await sudoersFile(text)], { stdio: "pipe" });
    return null;
  } catch (cause) {
    return String((cause as { stderr?: Buffer }).stderr ?? cause);
  }
}

async function sudoersFile(text: string): Promise<string> {
  const path = join(await mkdtemp(join(tmpdir(), "cse-sudoers-")), "sudoers");
  await writeFile(path, text);
  await chmod(path, 0o440);
  return path;
}
