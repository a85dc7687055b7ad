/**
 * Records what real sudo does with generated lines: `node test/helpers/record-sudo-args.ts` as root on
 * a machine with the account of the CI set-up. Writes test/fixtures/sudo-args/recorded.json.
 */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { INFORMATIVE_WORDS } from "../../src/shell/sudo-option.ts";
import { accountOf, askAll, openSudoOracle, PROBE, sudoObstacle, sudoWords } from "./sudo-oracle.ts";

const obstacle = sudoObstacle();
if (obstacle !== null) throw new Error(obstacle);
const oracle = openSudoOracle();
const single = INFORMATIVE_WORDS.flatMap((word) => [[word], [word, PROBE, "x"]]);
const sampled = fc.sample(sudoWords, { seed: 3, numRuns: 700 });
const lines = [...new Map([...single, ...sampled].map((line) => [JSON.stringify(line), line])).values()];
const runs = (await askAll(oracle, lines)).map(({ argv, ran }) =>
  ran === null ? { argv, ran } : { argv, ran: { ...ran, cwd: ran.cwd === oracle.cwd ? "/caller" : ran.cwd } },
);
const [version = ""] = execFileSync("/usr/bin/sudo", ["-V"], { encoding: "utf8" }).split("\n");
const uids = Object.fromEntries(["root", "nobody", "cse-sudo"].map((name) => [name, String(accountOf(name)?.uid)]));
const header = { origin: `${version}, Debian's sudoers, NOPASSWD: ALL`, callerCwd: "/caller", uids };
const body = runs.map((run) => `    ${JSON.stringify(run)}`).join(",\n");
const text = `${JSON.stringify(header, null, 2).replace(/\n\}$/, "")},\n  "lines": [\n${body}\n  ]\n}\n`;
writeFileSync(fileURLToPath(new URL("../fixtures/sudo-args/recorded.json", import.meta.url)), text);
