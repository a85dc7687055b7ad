import type { IncomingMessage, ServerResponse } from "node:http";
import type { GatewayEngine } from "../deps/gateway.ts";
import type { ReportName } from "../deps/gateway-report.ts";
import type { HostHttpRoute } from "./host-api.ts";

export const ROUTE = "/plugins/cyber-security-engineer";

const FILES: Readonly<Record<string, { readonly name: ReportName; readonly type: string }>> = {
  "": { name: "compliance-dashboard.html", type: "text/html; charset=utf-8" },
  "/": { name: "compliance-dashboard.html", type: "text/html; charset=utf-8" },
  "/summary.json": { name: "compliance-summary.json", type: "application/json; charset=utf-8" },
  "/assessment.json": { name: "openclaw-assessment.json", type: "application/json; charset=utf-8" },
};

/** For everything but the dashboard, whose own policy admits its one style and script by their hashes. */
const NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'";
const PAGE_POLICY = /<meta http-equiv="Content-Security-Policy" content="([\w \t;'+/=-]{1,1000})"/;

const HEADERS = {
  "cache-control": "no-store",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
} as const;

/** The last reports, for who has the gateway's token. Reads files and never measures, so it cannot be made to work. */
export function dashboardRoute(engineNow: () => GatewayEngine | null): HostHttpRoute {
  return {
    path: ROUTE,
    match: "prefix",
    auth: "gateway",
    handler: async (request, response) => {
      try {
        await answer(engineNow(), request, response);
      } catch {
        // What went wrong is in the files' own checks; a page must not tell more than that.
        if (!response.headersSent) send(response, 500, "text/plain", "The report cannot be read.\n");
        else response.destroy();
      }
      return true;
    },
  };
}

async function answer(engine: GatewayEngine | null, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const isHead = request.method === "HEAD";
  if (request.method !== "GET" && !isHead) {
    response.setHeader("allow", "GET, HEAD");
    return send(response, 405, "text/plain", "Only GET and HEAD.\n");
  }
  const path = URL.parse(request.url ?? "", "http://gateway")?.pathname ?? "";
  const file = path.startsWith(ROUTE) ? FILES[path.slice(ROUTE.length)] : undefined;
  if (file === undefined) return send(response, 404, "text/plain", "There is no such page.\n", isHead);
  if (engine === null) return send(response, 503, "text/plain", "The security service does not run.\n", isHead);
  const text = await engine.reports.file(file.name);
  if (text === null) return send(response, 404, "text/plain", "This host was not assessed yet.\n", isHead);
  send(response, 200, file.type, text, isHead);
}

function send(response: ServerResponse, status: number, type: string, text: string, isHead = false): void {
  // The Control UI may show it in a frame; nobody else.
  const policy = `${PAGE_POLICY.exec(text)?.[1] ?? NOTHING}; frame-ancestors 'self'`;
  response.writeHead(status, {
    ...HEADERS,
    "content-security-policy": policy,
    "content-type": type,
    "content-length": Buffer.byteLength(text),
  });
  response.end(isHead ? undefined : text);
}
