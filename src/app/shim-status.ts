import type { ShimInstall } from "../schema/shim-install.ts";
import { isAsRecorded, type ShimInstallDeps, type ShimPlaces } from "./shim-install.ts";
import type { Found, PathPrepend } from "./shim-wiring.ts";

export interface ShimCheck {
  readonly id: "script" | "program" | "node" | "real-sudo" | "path-prepend" | "broker";
  readonly status: "ok" | "problem" | "unknown";
  readonly message: string;
}

export interface ShimStatusReport {
  readonly schemaVersion: 1;
  /** `partly`: installed, with problems. */
  readonly state: "installed" | "partly" | "absent" | "foreign";
  readonly script: string;
  readonly checks: readonly ShimCheck[];
  readonly covers: readonly string[];
  readonly does_not_cover: readonly string[];
}

export interface ShimStatusDeps extends Pick<
  ShimInstallDeps,
  "places" | "sha256Hex" | "read" | "loadRecord" | "readPackaged" | "checkNode" | "checkSudo" | "readPathPrepend"
> {
  /** Whether somebody answers at the broker's socket. */
  readonly isBrokerUp: () => Promise<boolean>;
}

const COVERS = ["`sudo` by its plain name in an agent's exec, with the PATH that OpenClaw sets"];
const DOES_NOT_COVER = [
  "the real sudo by its path, such as /usr/bin/sudo",
  "other ways to become root: su, doas, pkexec, run0, containers, setuid programs",
  "commands that set a PATH of their own, scripts and services that do not start with the agent's PATH",
  "a shim that the agent removes or changes: it has the same user id",
  "agents whose own entry in the config sets another tools.exec.pathPrepend",
  "people and programs outside of OpenClaw",
];

/** What the shim covers here and what not. Reads only. */
export async function reportShimStatus(deps: ShimStatusDeps): Promise<ShimStatusReport> {
  const { places } = deps;
  const [record, script, program] = await Promise.all([
    deps.loadRecord(),
    deps.read(places.script),
    deps.read(places.program),
  ]);
  const isPresent = isAsRecorded(deps, record, places.script, script);
  const checks: readonly ShimCheck[] = [
    scriptCheck(deps, record, script),
    await programCheck(deps, record, program),
    await outcome("node", async () => ok("node", `${await deps.checkNode()} runs it`)),
    await outcome("real-sudo", async () => {
      const sudo = await deps.checkSudo();
      return typeof sudo === "string" ? ok("real-sudo", sudo) : problem("real-sudo", `${sudo.message} (${sudo.code})`);
    }),
    await outcome("path-prepend", async () => pathCheck(places, await deps.readPathPrepend())),
    await outcome("broker", async () =>
      (await deps.isBrokerUp())
        ? ok("broker", `the gateway answers at ${places.socket}`)
        : problem("broker", `no gateway answers at ${places.socket}; sudo is refused until one does`),
    ),
  ];
  const isWhole = checks.every(({ status }) => status === "ok");
  const state = isPresent ? (isWhole ? "installed" : "partly") : script.kind === "missing" ? "absent" : "foreign";
  return {
    schemaVersion: 1,
    state,
    script: places.script,
    checks,
    covers: isPresent ? COVERS : [],
    does_not_cover: isPresent ? DOES_NOT_COVER : ["anything: it is not installed"],
  };
}

function scriptCheck(deps: ShimStatusDeps, record: ShimInstall | null, script: Found): ShimCheck {
  const { script: path } = deps.places;
  if (isAsRecorded(deps, record, path, script)) return ok("script", `${path} is as it was installed`);
  return problem("script", script.kind === "missing" ? `${path} does not exist` : `${path} is not what we wrote`);
}

async function programCheck(deps: ShimStatusDeps, record: ShimInstall | null, program: Found): Promise<ShimCheck> {
  const { program: path } = deps.places;
  if (!isAsRecorded(deps, record, path, program)) {
    return problem("program", program.kind === "missing" ? `${path} does not exist` : `${path} is not what we wrote`);
  }
  return await outcome("program", async () =>
    program.kind === "file" && program.text === (await deps.readPackaged())
      ? ok("program", `${path} is that of this version`)
      : problem("program", `${path} is of another version; install again`),
  );
}

function pathCheck({ folder, spellings }: ShimPlaces, prepend: PathPrepend): ShimCheck {
  const at = prepend?.findIndex((entry) => spellings.includes(entry)) ?? -1;
  if (at === 0) return ok("path-prepend", `tools.exec.pathPrepend begins with ${folder}`);
  return at === -1
    ? problem("path-prepend", `tools.exec.pathPrepend does not name ${folder}, so agents do not find the shim`)
    : problem("path-prepend", `${folder} is not first in tools.exec.pathPrepend; another sudo could stand before it`);
}

async function outcome(id: ShimCheck["id"], look: () => Promise<ShimCheck>): Promise<ShimCheck> {
  try {
    return await look();
  } catch (thrown) {
    return { id, status: "unknown", message: thrown instanceof Error ? thrown.message : "it could not be looked at" };
  }
}

function ok(id: ShimCheck["id"], message: string): ShimCheck {
  return { id, status: "ok", message };
}

function problem(id: ShimCheck["id"], message: string): ShimCheck {
  return { id, status: "problem", message };
}
