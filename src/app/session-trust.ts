import type { SessionIdentity } from "../core/elevation.ts";

/**
 * Which sessions took in content that no owner wrote. Such content may speak to the model as an
 * owner would, so what the session asks for next needs a confirmation of its own, to its end.
 */
export interface SessionTrust {
  isUntrusted(session: SessionIdentity): boolean;
  mark(session: string): void;
  endSession(session: string): void;
}

/** Tools whose results come from elsewhere. */
const OUTSIDE: readonly string[] = [
  "web_fetch",
  "web_search",
  "x_search",
  "browser",
  "pdf",
  "computer",
  "screen",
  "nodes",
  "file_fetch",
  "dir_fetch",
  "conversations_turn",
  "transcripts",
  "memory_search",
  "wiki_search",
  "wiki_get",
];

/** More sessions than that are not kept apart: all of them count as untrusted then. */
const MAX_SESSIONS = 10_000;

export function bringsOutsideContent(tool: string): boolean {
  const name = tool.toLowerCase();
  // Tools of MCP servers are named after them and read from wherever these read.
  return OUTSIDE.includes(name) || name.startsWith("mcp_") || name.includes("__");
}

export function createSessionTrust(): SessionTrust {
  const marked = new Set<string>();
  let isFull = false;
  return {
    isUntrusted: ({ session }) => isFull || marked.has(session),
    mark: (session) => {
      if (marked.size < MAX_SESSIONS) marked.add(session);
      else isFull = true;
    },
    endSession: (session) => {
      marked.delete(session);
    },
  };
}
