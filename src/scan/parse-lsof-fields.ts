import { linuxState } from "./socket-state.ts";
import type { SocketTable } from "./socket-table.ts";
import { mergeTables } from "./merge-tables.ts";
import { readLsofName, unescapeLsof } from "./lsof-name.ts";
import {
  addSocket,
  closeDraft,
  openDraft,
  readNumber,
  reportLine,
  singleOwner,
  type TableDraft,
  tableLines,
} from "./table-draft.ts";

/** Fields of the current process set (p c u L) and of the current file set. */
interface Sets {
  readonly process: Map<string, string>;
  readonly file: Map<string, string>;
}

const PROCESS_FIELDS = "cugRLKM";
const FILE_FIELDS = "atlDdirsoknTPSGCFNmz";

/**
 * Reads `lsof -nP -i -F` with fields p c u L f t P n T and d, separated by newlines or (-F0) by NUL.
 * Holders of one socket become one row. Source: lsof(8), "OUTPUT FOR OTHER PROGRAMS".
 */
export function parseLsofFields(text: string): SocketTable {
  const draft = openDraft();
  const sets: Sets = { process: new Map(), file: new Map() };
  let fileLine = 0;
  const flush = (): void => {
    const wrong = addFile(draft, sets);
    if (wrong !== null) reportLine(draft, wrong.code, fileLine, [...sets.file.values()].join(" "), wrong.why);
    sets.file.clear();
  };
  for (const [line, number] of tableLines(draft, text)) {
    if (line.startsWith("lsof: ")) {
      reportLine(draft, "tool-message", number, line, "a message of lsof");
      continue;
    }
    for (const field of line.split("\0")) {
      const id = field.charAt(0);
      if (id === "") continue;
      if (id === "p") {
        flush();
        sets.process.clear();
        if (readNumber(field.slice(1)) === null) {
          reportLine(draft, "bad-row", number, field, "not a process id");
          continue;
        }
        draft.recognised = true;
        sets.process.set("p", field.slice(1));
      } else if (id === "f" && sets.process.has("p")) {
        flush();
        fileLine = number;
        sets.file.set("f", field.slice(1));
      } else if (PROCESS_FIELDS.includes(id) && sets.process.has("p") && sets.file.size === 0) {
        sets.process.set(id, field.slice(1));
      } else if (FILE_FIELDS.includes(id) && sets.file.has("f")) {
        // T comes several times: TST=LISTEN, TQR=0, TQS=0.
        if (id !== "T" || field.startsWith("TST=")) sets.file.set(id, field.slice(1));
      } else {
        reportLine(draft, "bad-row", number, field, "not a field of lsof where it stands");
      }
    }
  }
  flush();
  return mergeTables([closeDraft(draft, text)]);
}

function addFile(draft: TableDraft, { process, file }: Sets): { readonly code: string; readonly why: string } | null {
  const type = file.get("t");
  const protocol = file.get("P");
  if (file.size === 0 || (protocol !== "TCP" && protocol !== "UDP")) return null;
  const ends = readLsofName(file.get("n") ?? "", type ?? "");
  if (ends === null) return { code: "bad-address", why: "an address or port is not numeric" };
  const state = file.get("T");
  const wrong = addSocket(draft, {
    protocol: protocol === "TCP" ? "tcp" : "udp",
    ...ends,
    state: state === undefined ? "UNKNOWN" : linuxState(state.slice("ST=".length)),
    owner: singleOwner({
      pid: readNumber(process.get("p")),
      name: mapDefined(process.get("c"), unescapeLsof),
      uid: readNumber(process.get("u")),
      user: mapDefined(process.get("L"), unescapeLsof),
      inode: readNumber(file.get("d")),
    }),
  });
  return wrong === null ? null : { code: "bad-row", why: wrong };
}

function mapDefined(text: string | undefined, change: (text: string) => string): string | null {
  return text === undefined ? null : change(text);
}
