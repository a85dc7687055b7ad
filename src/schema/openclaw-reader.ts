import { type ConfigRecord, isConfigRecord } from "./openclaw-text.ts";
import type { Issue } from "./issue.ts";

/**
 * Reads typed values out of one object of a configuration. A key that is absent gives undefined; a
 * key of the wrong type is an issue and reads as absent. Unknown keys are OpenClaw's business.
 */
export interface Reader {
  /** False when the object itself is absent. */
  readonly present: boolean;
  flag(key: string): boolean | undefined;
  text(key: string): string | undefined;
  /** A whole number from 1 to `max`. */
  count(key: string, max: number): number | undefined;
  /** One of a closed set of words. */
  word<const T extends string>(key: string, words: readonly T[]): T | undefined;
  texts(key: string): readonly string[] | undefined;
  /** Ids, which may be written as numbers. */
  ids(key: string): readonly string[] | undefined;
  object(key: string): Reader;
  /** The objects of a keyed object, e.g. `accounts`; undefined when the key is absent. */
  entries(key: string): readonly (readonly [string, Reader])[] | undefined;
  /** The objects of a list. */
  items(key: string): readonly Reader[] | undefined;
  /** Any value, unchecked: text, number, object. */
  raw(key: string): unknown;
  /** Reports a value that was read with `raw`. */
  refuse(key: string, message: string): void;
}

/** @param issues receives what is wrong; the caller throws when it is not empty. */
export function readRecord(value: unknown, path: string, issues: Issue[]): Reader {
  if (value !== undefined && !isConfigRecord(value)) issues.push({ path, message: "Expected an object" });
  const record: ConfigRecord = isConfigRecord(value) ? value : {};

  const at = (key: string): string => `${path}/${key}`;
  const raw = (key: string): unknown => (Object.hasOwn(record, key) ? record[key] : undefined);
  const refuse = (key: string, message: string): undefined => {
    issues.push({ path: at(key), message });
  };

  function list<T>(key: string, read: (item: unknown) => T | undefined, message: string): readonly T[] | undefined {
    const found = raw(key);
    if (found === undefined) return undefined;
    if (!Array.isArray(found)) return refuse(key, message);
    const items: T[] = [];
    for (const item of found as readonly unknown[]) {
      const accepted = read(item);
      if (accepted === undefined) return refuse(key, message);
      items.push(accepted);
    }
    return items;
  }

  return {
    present: isConfigRecord(value),
    raw,
    refuse,
    flag(key) {
      const found = raw(key);
      return found === undefined || typeof found === "boolean" ? found : refuse(key, "Expected true or false");
    },
    text(key) {
      const found = raw(key);
      return found === undefined || typeof found === "string" ? found : refuse(key, "Expected text");
    },
    count(key, max) {
      const found = raw(key);
      if (found === undefined) return undefined;
      const isCount = typeof found === "number" && Number.isInteger(found) && found >= 1 && found <= max;
      return isCount ? found : refuse(key, `Expected a whole number from 1 to ${max}`);
    },
    word(key, words) {
      const found = raw(key);
      if (found === undefined) return undefined;
      return words.find((word) => word === found) ?? refuse(key, `Expected one of ${words.join(", ")}`);
    },
    texts: (key) => list(key, (item) => (typeof item === "string" ? item : undefined), "Expected a list of texts"),
    ids: (key) =>
      list(
        key,
        (item) => (typeof item === "string" ? item.trim() : typeof item === "number" ? String(item) : undefined),
        "Expected a list of ids",
      ),
    object: (key) => readRecord(raw(key), at(key), issues),
    entries(key) {
      const found = raw(key);
      if (found === undefined) return undefined;
      if (!isConfigRecord(found)) return refuse(key, "Expected an object");
      return Object.entries(found).map(
        ([name, item]) => [name, readRecord(item, `${at(key)}/${name}`, issues)] as const,
      );
    },
    items(key) {
      const found = raw(key);
      if (found === undefined) return undefined;
      if (!Array.isArray(found)) return refuse(key, "Expected a list");
      return found.map((item, index) => readRecord(item, `${at(key)}/${index}`, issues));
    },
  };
}
