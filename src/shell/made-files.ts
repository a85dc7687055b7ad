import type { Machine } from "./machine.ts";
import { HOLE } from "./marks.ts";
import { namesElevator } from "./mentions.ts";

/** Files that are read by people and tools, and run by nothing. */
const DOCUMENT =
  /\.(?:md|mdx|txt|rst|adoc|html?|csv|tsv|log|xml|svg|lock|diff|patch|out)$|(?:^|\/)(?:Dockerfile|README|LICENSE|CHANGELOG)[^/]*$|(?<!(?:^|\/)(?:package|composer|deno|tasks|launch|settings|devcontainer))\.json$/i;

/** A file that the text wrote. One that names an elevator is kept in mind for what may run or load it later. */
export function makeText(machine: Machine, path: string, text: string, added: string = text): void {
  machine.files.set(path, { kind: "text", text });
  if (!DOCUMENT.test(path) && namesElevator(added)) machine.written.push({ path, at: machine.commands.length });
}

/** A path as one spelling, relative to a folder that may begin with a hole. */
export function resolvePath(cwd: string, path: string): string {
  const whole = path.startsWith("/") || path.startsWith(HOLE) ? path : `${cwd}/${path}`;
  const parts: string[] = [];
  for (const part of whole.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.length > 0 && parts.at(-1) !== HOLE && parts.at(-1) !== "..") parts.pop();
    else if (parts.length > 0) parts.push(part);
  }
  return whole.startsWith("/") ? `/${parts.join("/")}` : parts.join("/");
}
