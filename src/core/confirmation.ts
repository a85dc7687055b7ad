/** An approval that still needs the owner's token, as it is shown to whoever types that. */
export interface Confirmation {
  /** First 8 hex digits of the request's digest, as they stand in the question's title. */
  readonly id: string;
  readonly title: string;
  readonly lines: readonly string[];
  /** ISO-8601. */
  readonly expiresAt: string;
}

/** What a proof of the token is bound to: exactly the text that was shown. */
export function confirmedText({ id, title, lines }: Confirmation): string {
  return [`approval token ${id}`, title, ...lines].join("\n");
}
