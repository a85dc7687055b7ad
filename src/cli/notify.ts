import type { NotifyReport } from "../app/notify.ts";
import { exitCodeOf, SecurityError } from "../core/error.ts";
import { clip, plural } from "../core/text.ts";
import { wire } from "../deps/wire.ts";
import { renderJson } from "../report/json.ts";
import type { Terminal } from "./terminal.ts";

/** Exits with 5 while something waits or was given up, so that a scheduler sees it. */
export async function runNotify(
  terminal: Terminal,
  flags: { readonly json?: boolean; readonly retry?: boolean },
): Promise<number> {
  const report = await wire().notify({ retry: flags.retry === true });
  terminal.out(flags.json === true ? renderJson(report) : `${textOf(report)}\n`);
  for (const problem of report.problems) terminal.note(`${problem.code}: ${clip(problem.message, 500)}`);
  return report.status === "incomplete" ? exitCodeOf(new SecurityError("notify-failed", "")) : 0;
}

function textOf({ status, delivered, waiting, given_up: givenUp }: NotifyReport): string {
  switch (status) {
    case "busy":
      return "Another notification run is under way; nothing was done.";
    case "no-sink":
      return "Nobody is to be told: neither OPENCLAW_VIOLATION_NOTIFY_CMD nor notify.json names a sink.";
    case "no-assessment":
      return "There is nothing to tell before the first `cse assess`.";
    case "ok":
    case "incomplete": {
      const sent = delivered === 0 && status === "ok" ? "Nothing new" : `${plural(delivered, "message")} delivered`;
      const parts = [
        sent,
        ...(waiting > 0 ? [`${waiting} waiting to be tried again`] : []),
        ...(givenUp > 0 ? [`${givenUp} given up (\`cse notify --retry\` tries them again)`] : []),
      ];
      return `${parts.join(", ")}.`;
    }
  }
}
