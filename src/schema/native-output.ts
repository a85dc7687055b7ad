import type { NativeFinding } from "../core/native-evidence.ts";
import { SecurityError } from "../core/error.ts";
import { clip, plural } from "../core/text.ts";
import { type ConfigRecord, isConfigRecord } from "./openclaw-text.ts";

/** What one of OpenClaw's commands said: its findings, and a few words on the rest. */
export interface NativeAnswer {
  readonly said: string;
  readonly findings: readonly NativeFinding[];
}

const MAX_FINDINGS = 500;
const MAX_TITLE = 200;

/** @throws {SecurityError} json-invalid when the text is not the JSON object that OpenClaw prints */
function objectOf(text: string, command: string): ConfigRecord {
  let value: unknown;
  try {
    // A line about a proxy or a migration may come first.
    value = JSON.parse(text.slice(Math.max(0, text.indexOf("{"))));
  } catch (cause) {
    throw unusable(command, cause);
  }
  if (!isConfigRecord(value)) throw unusable(command);
  return value;
}

/** `openclaw security audit --json`. @throws {SecurityError} json-invalid */
export function parseSecurityAudit(text: string): NativeAnswer {
  const command = "security audit";
  const root = objectOf(text, command);
  const found = recordsIn(root, "findings", command);
  const left = root["suppressedFindings"] === undefined ? [] : recordsIn(root, "suppressedFindings", command);
  const findings = [...found.map((item) => finding(item, false)), ...left.map((item) => finding(item, true))];
  const count = (severity: string): number => found.filter((item) => item["severity"] === severity).length;
  const said = `${count("critical")} critical, ${count("warn")} warnings, ${left.length} left out by suppressions`;
  return { said, findings: distinct(findings) };

  function finding(item: ConfigRecord, suppressed: boolean): NativeFinding {
    const { checkId: id, severity, title, detail } = item;
    if (typeof id !== "string" || (severity !== "critical" && severity !== "warn" && severity !== "info")) {
      throw unusable(command);
    }
    // Only here the title alone does not say what it is about.
    const which = id === "config.insecure_or_dangerous_flags" && typeof detail === "string" ? `: ${detail}` : "";
    return {
      id: clip(id, MAX_TITLE),
      severity,
      command,
      title: clip(`${textOf(title, id)}${which}`, MAX_TITLE),
      suppressed,
    };
  }
}

/** `openclaw secrets audit --json`. Paths only; a value is never printed by it. @throws {SecurityError} json-invalid */
export function parseSecretsAudit(text: string): NativeAnswer {
  const command = "secrets audit";
  const root = objectOf(text, command);
  const findings = recordsIn(root, "findings", command).map((item): NativeFinding => {
    if (typeof item["code"] !== "string") throw unusable(command);
    const title = clip(textOf(item["message"], item["code"]), MAX_TITLE);
    // This was asked without the gateway's environment, where a reference may lead nowhere.
    const severity = item["code"] === "REF_UNRESOLVED" ? "info" : "warn";
    return { id: `secrets:${clip(item["code"], 80)}`, severity, command, title, suppressed: false };
  });
  const skipped = isConfigRecord(root["resolution"]) ? root["resolution"]["skippedExecRefs"] : 0;
  const unseen =
    typeof skipped === "number" && skipped > 0 ? `, ${plural(skipped, "reference")} to commands not followed` : "";
  return { said: `${plural(findings.length, "finding")}${unseen}`, findings: distinct(findings) };
}

/** `openclaw policy check --json`, whose requirements are this program's own. @throws {SecurityError} json-invalid */
export function parsePolicyCheck(text: string): NativeAnswer {
  const command = "policy check";
  const root = objectOf(text, command);
  if (typeof root["ok"] !== "boolean") throw unusable(command);
  const findings = recordsIn(root, "findings", command).map((item): NativeFinding => {
    if (typeof item["checkId"] !== "string") throw unusable(command);
    const title = clip(textOf(item["message"], item["checkId"]), MAX_TITLE);
    // How bad it is the check itself says; its own severity only says that a requirement is not met.
    return { id: clip(item["checkId"], MAX_TITLE), severity: "warn", command, title, suppressed: false };
  });
  const checks = root["checksRun"];
  const ran = typeof checks === "number" ? ` in ${checks} checks` : "";
  const all = distinct(findings);
  return { said: `${plural(all.length, "finding")}${ran}`, findings: all };
}

/** `openclaw exec-policy show --json`. It says what holds and finds nothing. @throws {SecurityError} json-invalid */
export function parseExecPolicy(text: string): NativeAnswer {
  const command = "exec-policy show";
  const policy = objectOf(text, command)["effectivePolicy"];
  if (!isConfigRecord(policy)) throw unusable(command);
  const word = (value: unknown): string =>
    isConfigRecord(value) && typeof value["effective"] === "string" ? value["effective"] : "?";
  const said = recordsIn(policy, "scopes", command).map(
    (scope) =>
      `${textOf(scope["agentId"], "every agent")}: security ${word(scope["security"])}, ask ${word(scope["ask"])}`,
  );
  return { said: clip(said.join("; "), 500), findings: [] };
}

/** `openclaw update status --json`. @throws {SecurityError} json-invalid */
export function parseUpdateStatus(text: string): NativeAnswer {
  const command = "update status";
  const root = objectOf(text, command);
  const { availability } = root;
  if (!isConfigRecord(availability)) throw unusable(command);
  const latest = availability["latestVersion"];
  if (availability["available"] === true) {
    const title = `OpenClaw ${clip(textOf(latest, "of an unknown version"), 60)} is available`;
    return { said: title, findings: [{ id: "update:available", severity: "warn", command, title, suppressed: false }] };
  }
  const isAnswered = typeof latest === "string";
  return { said: isAnswered ? "no newer version" : "the registry gave no answer", findings: [] };
}

/** `openclaw gateway status --json`. @throws {SecurityError} json-invalid */
export function parseGatewayStatus(text: string): NativeAnswer {
  const { gateway, rpc } = objectOf(text, "gateway status");
  if (!isConfigRecord(gateway)) throw unusable("gateway status");
  const answers = isConfigRecord(rpc) && rpc["ok"] === true ? "answers" : "gives no answer";
  const { bindMode, bindHost, port } = gateway;
  const said = `bound to ${textOf(bindHost, "?")} (${textOf(bindMode, "?")}), port ${typeof port === "number" ? port : "?"}, ${answers}`;
  return { said: clip(said, 300), findings: [] };
}

function recordsIn(root: ConfigRecord, key: string, command: string): readonly ConfigRecord[] {
  const found = root[key];
  if (!Array.isArray(found) || found.length > MAX_FINDINGS) throw unusable(command);
  const items = (found as readonly unknown[]).filter(isConfigRecord);
  if (items.length !== found.length) throw unusable(command);
  return items;
}

/** A finding of the whole and of an agent, or of two paths, is one. */
function distinct(findings: readonly NativeFinding[]): readonly NativeFinding[] {
  return [...new Map(findings.map((one) => [`${one.id} ${one.title} ${String(one.suppressed)}`, one])).values()];
}

function textOf(value: unknown, otherwise: string): string {
  return typeof value === "string" && value !== "" ? value : otherwise;
}

function unusable(command: string, cause?: unknown): SecurityError {
  return new SecurityError("json-invalid", `\`openclaw ${command} --json\` printed something that is not known`, {
    cause,
  });
}
