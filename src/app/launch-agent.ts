/**
 * The PATH of a macOS LaunchAgent, as text: the gateway's own PATH, before what OpenClaw puts in
 * front of it for an agent's exec. Only the one string is touched. Source: launchd.plist(5).
 */
export type PlistChange =
  | { readonly kind: "changed"; readonly text: string }
  | { readonly kind: "unchanged" }
  /** Not the form that can be changed safely. */
  | { readonly kind: "unsupported"; readonly why: string };

/** Puts a folder first. */
export function addToAgentPath(plist: string, folder: string): PlistChange {
  return changePath(plist, (entries) => [folder, ...entries.filter((entry) => entry !== folder)]);
}

/** Takes the folder out again, wherever it stands. */
export function removeFromAgentPath(plist: string, folder: string): PlistChange {
  return changePath(plist, (entries) => entries.filter((entry) => entry !== folder));
}

const VARIABLES = /<key>EnvironmentVariables<\/key>\s*<dict>([\s\S]*?)<\/dict>/g;
const PATH = /(<key>PATH<\/key>\s*<string>)([^<]*)(<\/string>)/g;

function changePath(plist: string, change: (entries: readonly string[]) => readonly string[]): PlistChange {
  if (!/^\s*<\?xml/.test(plist)) return { kind: "unsupported", why: "it is no XML property list" };
  // A comment could hold something that looks like the real thing.
  if (plist.includes("<!--") || plist.includes("<![CDATA[")) return { kind: "unsupported", why: "it has comments" };
  const [variables, ...others] = plist.matchAll(VARIABLES);
  if (variables === undefined || others.length > 0) {
    return { kind: "unsupported", why: "it does not have exactly one EnvironmentVariables" };
  }
  const [path, ...more] = (variables[1] ?? "").matchAll(PATH);
  if (path === undefined || more.length > 0) return { kind: "unsupported", why: "it does not set PATH exactly once" };
  const entries = unescapeXml(path[2] ?? "").split(":");
  const changed = change(entries);
  if (changed.join(":") === entries.join(":")) return { kind: "unchanged" };
  const start = variables.index + variables[0].indexOf(variables[1] ?? "") + path.index + (path[1] ?? "").length;
  const end = start + (path[2] ?? "").length;
  return { kind: "changed", text: plist.slice(0, start) + escapeXml(changed.join(":")) + plist.slice(end) };
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function unescapeXml(text: string): string {
  return text
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&apos;", "'")
    .replaceAll("&amp;", "&");
}
