/** Shows, as an ordinary user in a folder of its own, what programs of the table do beyond what they say. */
import { access, chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { isRootEquivalent } from "../../src/policy/root-equivalent.ts";
import { itWith, toolPath } from "../helpers/requires.ts";
import { collect, makeUserFolder, startAsUser } from "../helpers/unprivileged.ts";

/**
 * Command lines that end in a file %/proof, where % is a fresh folder and _ a space within a word.
 * %/hit is a program that makes the file; so whoever makes it either started that or wrote by itself.
 */
const IN_EVERY_DEBIAN = {
  command: [
    "sh -c %/hit",
    "bash -c %/hit",
    "dash -c %/hit",
    "python3 -c import_os;os.system('%/hit')",
    "perl -e system('%/hit')",
    'awk BEGIN{system("%/hit")}',
    "find % -maxdepth 0 -exec %/hit ;",
    "xargs -a %/one %/hit",
    "sed -n 1e%/hit %/one",
    "tar cf %/t.tar %/one --checkpoint=1 --checkpoint-action=exec=%/hit",
    "tar cf %/t.tar %/one -I %/hit",
    "split --filter=%/hit %/one",
    "sort --compress-program=%/hit -S 1k --parallel=1 %/many",
    "env %/hit",
    "nice %/hit",
    "nohup %/hit",
    "timeout 5 %/hit",
    "setsid -w %/hit",
    "stdbuf -o0 %/hit",
    "ionice %/hit",
    "chrt -o 0 %/hit",
    "taskset 1 %/hit",
    "flock %/one %/hit",
    "prlimit %/hit",
    "setarch -R %/hit",
    "choom -n 0 -- %/hit",
    "script -qc %/hit %/typescript",
    "strace -o %/trace %/hit",
    "run-parts %/parts",
    "start-stop-daemon --start --exec %/hit",
    "unshare %/hit",
    "install --strip-program=%/hit -s %/one %/two",
    "apt-get update -o Dir::State=%/db -o Dir::Cache=%/db -o Dir::Etc=%/db -o APT::Update::Pre-Invoke::=%/hit",
    "dpkg --pre-invoke=%/hit --admindir=%/db --configure x",
  ],
  "file-write": [
    "tee %/proof",
    "dd if=%/one of=%/proof",
    "cp %/one %/proof",
    "mv %/one %/proof",
    "install %/one %/proof",
    "ln -s %/one %/proof",
    "sed -n w%/proof %/one",
    'awk BEGIN{print>"%/proof"}',
    "sort -o %/proof %/one",
    "truncate -s 1 %/proof",
    "touch %/proof",
    "mkdir %/proof",
    "find % -maxdepth 0 -fprint %/proof",
    "iconv -o %/proof %/one",
    "uniq %/one %/proof",
    "strace -o %/proof true",
  ],
} as const;

const WHERE_INSTALLED: readonly string[] = [
  "git -c alias.x=!%/hit x",
  "make -f /dev/null --eval=x:;@%/hit x",
  "gcc -wrapper %/hit -c -x c /dev/null -o %/o",
  "gdb -batch -ex !%/hit",
  "vim -es -c !%/hit -c q!",
  "ed -s %/edscript",
  "ssh -o ProxyCommand=%/hit x",
  "scp -S %/hit %/one x:",
  "ssh-agent %/hit",
  "tclsh %/tcl",
  "sqlite3 :memory: .shell_%/hit",
  "node -p fs.writeFileSync('%/proof','')",
  "cmake -E env %/hit",
  "zip -q -T -TT %/hit %/z.zip %/one",
  "wget --use-askpass=%/hit http://127.0.0.1:9/",
  "capsh --shell=%/hit --",
  "curl -s -o %/proof file://%/one",
  "openssl enc -base64 -in %/one -out %/proof",
  "xxd -r %/one %/proof",
  "ar rc %/proof %/one",
  "gpg --homedir % --batch --yes --output %/proof --enarmor %/one",
  "git init -q %/proof",
  "patch -s -o %/proof %/one %/empty",
  "rsync -e %/hit %/one x:",
  "busybox sh -c %/hit",
  "perf stat -o %/p %/hit",
  "m4 %/m4",
  "expect -c exec_%/hit",
];

/** Runs one line; true when the proof is there afterwards. */
async function hasProof(line: string): Promise<boolean> {
  const folder = await makeUserFolder();
  const hit = `#!/bin/sh\n: > '${folder}/proof'\n`;
  await mkdir(join(folder, "parts"), { mode: 0o755 });
  await mkdir(join(folder, "db/lists/partial"), { recursive: true });
  await chmod(join(folder, "db"), 0o777);
  await chmod(join(folder, "db/lists"), 0o777);
  await chmod(join(folder, "db/lists/partial"), 0o777);
  const many = Array.from({ length: 20_000 }, (_, index) => `line ${(index * 7919) % 20_000}`).join("\n");
  const files: Record<string, string> = {
    hit,
    "parts/hit": hit,
    one: "0000: 78\n",
    many,
    empty: "",
    tcl: `exec ${folder}/hit\n`,
    m4: `syscmd(${folder}/hit)`,
    edscript: "x\n",
  };
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(folder, name), text);
    await chmod(join(folder, name), 0o755);
  }
  const [program = "", ...args] = line
    .split(" ")
    .map((word) => word.replaceAll("_", " ").replaceAll("%/", `${folder}/`).replace(/^%$/, folder));
  const child = await startAsUser(toolPath(program) ?? program, args, { home: folder });
  // A program that does not read may have closed its end.
  child.stdin.on("error", () => undefined);
  child.stdin.end(program === "ed" ? `!${folder}/hit\nq\n` : "");
  await collect(child);
  return await access(join(folder, "proof")).then(
    () => true,
    () => false,
  );
}

describe("a program that the table calls root-equivalent", () => {
  for (const [kind, lines] of Object.entries(IN_EVERY_DEBIAN)) {
    for (const line of lines) {
      const [program = ""] = line.split(" ", 1);
      itWith([program], `H32: shows it (${kind}): ${line}`, async () => {
        expect(await hasProof(line)).toBe(true);
        expect(isRootEquivalent(line.replaceAll("%", "/x").split(" ")).rootEquivalent).toBe(true);
      });
    }
  }

  it("H32: shows it wherever it is installed", async () => {
    const installed = WHERE_INSTALLED.filter((line) => toolPath(line.split(" ", 1)[0] ?? "") !== null);
    const silent: string[] = [];
    for (const line of installed) {
      const isKnown = isRootEquivalent(line.replaceAll("%", "/x").split(" ")).rootEquivalent;
      if (!isKnown || !(await hasProof(line))) silent.push(line);
    }
    expect(silent).toEqual([]);
  }, 60_000);
});
