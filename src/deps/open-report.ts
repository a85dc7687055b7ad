import { join } from "node:path";
import { readTextFile } from "../state/read-file.ts";
import type { Effects } from "./effects.ts";

export interface OpenedReport {
  readonly schemaVersion: 1;
  readonly path: string;
  /** Why no browser was opened; null when one was asked to. */
  readonly obstacle: string | null;
}

const MAX_BYTES = 32 * 1024 * 1024;
const OPEN_TIMEOUT_MS = 10_000;
/** What a program needs to find the desktop of the person who asked. */
const DESKTOP = ["DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS", "HOME"];

/**
 * Opens the dashboard with the desktop's own opener.
 * @throws {SecurityError} file-missing and others when there is no dashboard to show
 */
export async function runOpenReport(effects: Effects): Promise<OpenedReport> {
  const path = join(effects.assessmentsDir(), "compliance-dashboard.html");
  await readTextFile(path, { maxBytes: MAX_BYTES, trust: "untrusted", what: "dashboard" });
  return { schemaVersion: 1, path, obstacle: await openFile(effects, path) };
}

async function openFile({ env, runTool, locateTool }: Effects, path: string): Promise<string | null> {
  const isMac = process.platform === "darwin";
  if (!isMac && !env["DISPLAY"] && !env["WAYLAND_DISPLAY"]) return "There is no desktop here; open the file yourself.";
  const file = await locateTool(isMac ? "open" : "xdg-open");
  if (file === null) return "There is no program to open it with; open the file yourself.";
  const desktop = Object.fromEntries(DESKTOP.flatMap((name) => (env[name] ? [[name, env[name]]] : [])));
  const result = await runTool({ file, args: [path], timeoutMs: OPEN_TIMEOUT_MS, maxBytes: 100_000, env: desktop });
  // An opener that goes on as the browser itself has done its work.
  if (result.kind === "done" ? result.exitCode === 0 : result.code === "timeout") return null;
  return "The browser could not be opened; open the file yourself.";
}
