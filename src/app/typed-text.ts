/**
 * What was typed so far into programs that run. A command may come in pieces ("su", then "do id"),
 * and a line may name what an earlier one defined, so each piece is read together with what of its
 * line came before and with the earlier lines that define something.
 */
export interface TypedText {
  add(session: string, text: string): TypedLine;
  /** What the last `add` added was found clear and is typed. */
  accept(session: string): void;
  /** A person agreed to what the last `add` added; nothing later is judged by it. */
  ran(session: string): void;
  /** What the last `add` added is not typed. */
  undo(session: string): void;
}

export type TypedLine =
  /** Everything that this piece has to be read with, the piece included. */
  | { readonly kind: "text"; readonly text: string }
  /** Keys edited the line, recalled another or are not known; `runs`: and may have run it. */
  | { readonly kind: "unknown"; readonly runs: boolean; readonly why: string };

const MAX_SESSIONS = 200;
const MAX_TEXT = 32 * 1024;
/** Return, line feed, and Ctrl-O, with which shells run a line too. */
const RUNS = /[\r\n\cO]/;
/** Ctrl-C gives the line up, Ctrl-D ends input. */
const CLEARS = /^.*[\cC\cD]/s;
/** Every other control character changes the line or recalls another. */
const EDITS = /[^\P{Cc}\r\n\t\cC\cD\cO]/u;
/** Lines that later ones may build on: variables, functions, aliases, remembered paths, traps. */
const DEFINES = /=|\(\)|\b(?:function|alias|hash|trap|source|read|set|shopt|enable)\b|^\s*\./;

interface Line {
  /** Earlier lines that define something. */
  readonly known: string;
  /** The line that is being typed, with the ones before it that it continues. */
  readonly current: string;
  readonly isEdited: boolean;
}

const EMPTY: Line = { known: "", current: "", isEdited: false };

export function createTypedText(): TypedText {
  const lines = new Map<string, Line>();
  const before = new Map<string, Line>();
  const keep = (session: string, line: Line): void => {
    // The latest come last, so the first are those that nothing was typed into for longest.
    lines.delete(session);
    lines.set(session, line);
    for (const oldest of lines.keys()) {
      if (lines.size <= MAX_SESSIONS) break;
      lines.delete(oldest);
      before.delete(oldest);
    }
  };
  return {
    add: (session, piece) => {
      const line = lines.get(session) ?? EMPTY;
      before.set(session, line);
      const isCleared = CLEARS.test(piece);
      const current = (isCleared ? "" : line.current) + piece.replace(CLEARS, "").replaceAll("\r", "\n");
      const isTooLong = line.known.length + current.length > MAX_TEXT;
      const isEdited = (line.isEdited && !isCleared) || EDITS.test(current) || isTooLong;
      const runs = RUNS.test(piece);
      keep(session, runs && isEdited ? { ...EMPTY, known: line.known } : { ...line, current, isEdited });
      if (!isEdited) return { kind: "text", text: line.known + current.replaceAll("\x0f", "\n") };
      return { kind: "unknown", runs: runs || isTooLong, why: "keys changed the line that is run" };
    },
    accept: (session) => {
      const line = lines.get(session);
      if (line === undefined || line.isEdited || !RUNS.test(line.current)) return;
      // A backslash before the end of a line joins it with the next, in the middle of a word too.
      const whole = /^(?:[^\\]|\\.)*[\n\cO]/s.exec(line.current.replaceAll("\\\n", "\\ "))?.[0] ?? "";
      const done = line.current.slice(0, whole.length);
      const defining = done.split(/[\n\cO]/).filter((each) => DEFINES.test(each));
      const known = line.known + defining.map((each) => `${each}\n`).join("");
      keep(session, { known, current: line.current.slice(whole.length), isEdited: false });
    },
    ran: (session) => keep(session, { ...EMPTY, known: lines.get(session)?.known ?? "" }),
    undo: (session) => {
      const line = before.get(session);
      if (line !== undefined) keep(session, line);
    },
  };
}
