/** True for an absolute POSIX path that has one spelling only: no `//`, `.`, `..` or trailing slash. "/" itself is not. */
export function isCanonicalPath(path: string): boolean {
  if (!path.startsWith("/")) return false;
  return path
    .slice(1)
    .split("/")
    .every((part) => part !== "" && part !== "." && part !== "..");
}

/** What follows the last slash. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
