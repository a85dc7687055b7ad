/**
 * One value, one text: sorted keys, no white space, whole numbers only (RFC 8785 with less allowed).
 * Everything outside printable ASCII is escaped, so that `cat` of the log cannot act on a terminal and
 * a cut through the file never cuts through a character.
 */

export type CanonicalValue =
  | null
  | boolean
  | number
  | string
  | readonly CanonicalValue[]
  | { readonly [key: string]: CanonicalValue };

/**
 * The one text of a value.
 * @throws {RangeError} for a number that is not a safe integer, and for a value nested too deeply
 */
export function renderCanonical(value: CanonicalValue): string {
  if (typeof value === "string") return quote(value);
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) throw new RangeError("canonical JSON holds whole numbers only");
    return String(value);
  }
  if (value === null || typeof value === "boolean") return String(value);
  if (isList(value)) return `[${value.map(renderCanonical).join(",")}]`;
  let text = "";
  // The default order is by UTF-16 code units, as RFC 8785 wants it.
  for (const key of Object.keys(value).sort()) {
    text += `${text === "" ? "" : ","}${quote(key)}:${renderCanonical(value[key] ?? null)}`;
  }
  return `{${text}}`;
}

/** The value of a canonical text; undefined when the text is anything but the one text of its value. */
export function parseCanonical(text: string): CanonicalValue | undefined {
  try {
    const value = JSON.parse(text) as CanonicalValue;
    // A duplicate key, other white space, order, number or escape: none of them survives the way back. The
    // short way is the same for text without characters of our own escaping, which is nearly all.
    const isShort = JSON.stringify(value) === text;
    const isCanonical = isShort ? !HAS_OTHER.test(text) && isOrdered(value) : renderCanonical(value) === text;
    return isCanonical ? value : undefined;
  } catch (thrown) {
    if (thrown instanceof SyntaxError || thrown instanceof RangeError) return undefined;
    throw thrown;
  }
}

function isList(value: object): value is readonly CanonicalValue[] {
  return Array.isArray(value);
}

/** Whether all keys are sorted and all numbers are safe integers. */
function isOrdered(value: CanonicalValue): boolean {
  if (typeof value === "number") return Number.isSafeInteger(value);
  if (typeof value !== "object" || value === null) return true;
  if (isList(value)) return value.every(isOrdered);
  let last: string | null = null;
  for (const key of Object.keys(value)) {
    if (last !== null && key <= last) return false;
    last = key;
    const inner = value[key];
    if (typeof inner !== "string" && inner !== undefined && !isOrdered(inner)) return false;
  }
  return true;
}

// By UTF-16 code unit, so that half a surrogate pair is escaped like everything else.
const HAS_OTHER = /[^\u0020-\u007e]/;
const NEEDS_NO_ESCAPE = /^[ !#-[\]-~]*$/;
const NOT_PLAIN = /[^\u0020-\u007e]/g;
// JSON.stringify has short forms for some controls; their backslash is plain, so only DEL and beyond are left.
function quote(text: string): string {
  if (NEEDS_NO_ESCAPE.test(text)) return `"${text}"`;
  return JSON.stringify(text).replace(NOT_PLAIN, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
