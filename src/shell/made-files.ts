import { HOLE } from "./marks.ts";

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
