import { Type } from "@sinclair/typebox";
import data from "../../references/root-equivalent-programs.json" with { type: "json" };
import { parseWith } from "./validate.ts";

/** What a program gives beyond what it says; `file-read` alone is not counted as root. */
export type RootClass = "shell" | "command" | "file-write" | "file-read" | "library-load" | "privilege";

export interface RootEquivalentProgram {
  /** Base names without a version: "python" also stands for python3.11. */
  readonly names: readonly string[];
  readonly classes: readonly RootClass[];
  /**
   * Only with one of these arguments: a word, a path pattern ending in *, `-x` also inside a cluster,
   * `--long` also with a value or abbreviated. Absent: always.
   */
  readonly when?: readonly string[];
  /** Not with one of these. */
  readonly unless?: readonly string[];
  /** Its operands name a command that it starts. */
  readonly runs_operands?: true;
  readonly why: string;
  /** Manual page and section. */
  readonly source: string;
}

export interface RootEquivalentTable {
  readonly schemaVersion: 1;
  readonly about: string;
  readonly classes: Readonly<Record<RootClass, string>>;
  readonly programs: readonly RootEquivalentProgram[];
}

/** The table shipped in references/. Its shape is proven by a test, not at every start. */
export const ROOT_EQUIVALENT_PROGRAMS: RootEquivalentTable = data as RootEquivalentTable;

const text = Type.String({ minLength: 1 });
const some = Type.Array(text, { minItems: 1, uniqueItems: true });
const closed = { additionalProperties: false } as const;
const TABLE = Type.Object(
  {
    schemaVersion: Type.Literal(1),
    about: text,
    classes: Type.Object(
      {
        shell: text,
        command: text,
        "file-write": text,
        "file-read": text,
        "library-load": text,
        privilege: text,
      },
      closed,
    ),
    programs: Type.Array(
      Type.Object(
        {
          names: some,
          classes: Type.Array(
            Type.Union([
              Type.Literal("shell"),
              Type.Literal("command"),
              Type.Literal("file-write"),
              Type.Literal("file-read"),
              Type.Literal("library-load"),
              Type.Literal("privilege"),
            ]),
            { minItems: 1, uniqueItems: true },
          ),
          when: Type.Optional(some),
          unless: Type.Optional(some),
          runs_operands: Type.Optional(Type.Literal(true)),
          why: text,
          source: text,
        },
        closed,
      ),
      { minItems: 1 },
    ),
  },
  closed,
);

/**
 * Reads a table of programs that amount to root.
 * @throws {SecurityError} invalid-input with every issue in `details.issues`
 */
export function parseRootEquivalentTable(value: unknown): RootEquivalentTable {
  return parseWith(TABLE, value, "root-equivalent-programs.json", "invalid-input");
}
