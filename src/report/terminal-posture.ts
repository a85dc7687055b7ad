import type { Posture, PostureReason } from "../assess/posture.ts";
import { escapeControl, plural } from "../core/text.ts";
import { type TextOptions, wrap } from "./terminal-layout.ts";

export interface AccountPosture extends Posture {
  readonly account: string | null;
  readonly account_basis: "process" | "current-user" | null;
}

/** For a person: the level, why it is no higher, what it is worth, and what to do next. */
export function renderPosture(posture: AccountPosture, options: TextOptions): string {
  const { paint, columns } = options;
  const {
    level,
    title,
    account,
    account_basis: basis,
    reasons,
    holds,
    guaranteed,
    not_guaranteed: open,
    next,
  } = posture;
  const shownLevel = level === "L0" ? paint.red(level) : paint.bold(level);
  const section = (head: string): readonly string[] => ["", paint.bold(head)];
  const points = (texts: readonly string[], mark: string): readonly string[] =>
    texts.flatMap((text) => wrap(text, columns, `  ${mark} `));
  return `${[
    `Posture of ${escapeControl(account ?? "an unknown account")}: ${shownLevel}`,
    ...wrap(title, columns, "  "),
    ...(basis === "current-user" ? ["  No gateway is running; this is about the account that asks."] : []),
    ...(reasons.length === 0 ? [] : section("Why not more, worst first")),
    ...reasons.flatMap((reason) => reasonLines(reason, options)),
    ...section(`Guaranteed at ${level}`),
    ...points(guaranteed, "+"),
    ...section(`Not guaranteed at ${level}`),
    ...points(open, "-"),
    ...(next === null ? [] : nextLines(next, options)),
    "",
    paint.dim(`${plural(holds.length, "condition")} ${holds.length === 1 ? "holds" : "hold"}; --json lists them.`),
  ].join("\n")}\n`;
}

function reasonLines(reason: PostureReason, { paint, columns }: TextOptions): readonly string[] {
  const { risk, blocks, measured, said, id } = reason;
  const colour = risk === "critical" ? paint.red : risk === "high" ? paint.yellow : paint.dim;
  const first = blocks[0];
  const keeps = first === undefined ? "weakness" : `keeps from ${first}`;
  const state = measured ? "" : ", not known";
  return [
    `  ${colour(risk.padEnd(8))} ${escapeControl(id)} ${paint.dim(`(${keeps}${state})`)}`,
    ...wrap(said, columns, "           "),
  ];
}

function nextLines(next: NonNullable<Posture["next"]>, { paint, columns }: TextOptions): readonly string[] {
  const { level, steps, gains } = next;
  return [
    "",
    paint.bold(`Next: ${level}`),
    ...(steps.length === 0 ? ["  Nothing that can be done with this release."] : []),
    ...steps.flatMap(({ title, lines }, index) => [
      ...wrap(title, columns, `  ${index + 1}. `),
      // To be typed or copied: never broken.
      ...lines.map((line) => `       ${escapeControl(line)}`),
    ]),
    ...(gains.length === 0 ? [] : [`  ${paint.bold("Then also guaranteed")}`]),
    ...gains.flatMap((text) => wrap(text, columns, "  + ")),
  ];
}
