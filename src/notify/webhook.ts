import { createHmac } from "node:crypto";
import { Agent, request } from "undici";
import { SecurityError } from "../core/error.ts";
import type { NotifyMessage } from "../schema/notify-state.ts";

export interface Webhook {
  readonly url: string;
  readonly secret: string;
}

const TIMEOUT_MS = 10_000;
const MAX_ANSWER_BYTES = 16_384;

/**
 * Posts one message, signed: `x-cse-signature: t=<seconds>,v1=<hex HMAC-SHA256 of "<seconds>.<body>">`.
 * A redirect is never followed: it could lead to a service inside that trusts whoever can reach it.
 * @param nowMs time that is signed
 * @throws {SecurityError} notify-config-invalid, notify-failed
 */
export async function postWebhook(hook: Webhook, message: NotifyMessage, nowMs: number): Promise<void> {
  const url = checkUrl(hook.url);
  const body = JSON.stringify(message);
  const seconds = Math.floor(nowMs / 1000);
  const mac = createHmac("sha256", hook.secret).update(`${seconds}.${body}`).digest("hex");
  const agent = new Agent({ connect: { timeout: TIMEOUT_MS / 2 } });
  try {
    const answer = await request(url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "user-agent": "cyber-security-engineer",
        "x-cse-message-id": encodeURIComponent(message.id),
        "x-cse-signature": `t=${seconds},v1=${mac}`,
      },
      body,
      dispatcher: agent,
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headersTimeout: TIMEOUT_MS,
      bodyTimeout: TIMEOUT_MS,
    });
    // The answer says nothing that is needed; it is only taken off the line.
    await answer.body.dump({ limit: MAX_ANSWER_BYTES }).catch(() => undefined);
    const { statusCode: status } = answer;
    if (status >= 200 && status < 300) return;
    const why = status >= 300 && status < 400 ? "with a redirect, which is not followed" : "and did not take it";
    throw new SecurityError("notify-failed", `The webhook at ${url.host} answered ${status} ${why}`);
  } catch (cause) {
    if (cause instanceof SecurityError) throw cause;
    const reason = cause instanceof Error ? ((cause as NodeJS.ErrnoException).code ?? cause.name) : "unknown reason";
    throw new SecurityError("notify-failed", `The webhook at ${url.host} could not be reached: ${reason}`, { cause });
  } finally {
    await agent.destroy();
  }
}

/** https anywhere, http only to this host. The path may be a secret, so no message shows it. */
function checkUrl(text: string): URL {
  const url = URL.parse(text);
  const isSafe = url !== null && (url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url.hostname)));
  if (isSafe && url.username === "" && url.password === "") return url;
  const hint = "Use https, or http to 127.0.0.1 or [::1], without a name and password in it.";
  throw new SecurityError("notify-config-invalid", "The webhook's address cannot be used", { hint });
}

/** Addresses only: a name can be made to lead anywhere. */
function isLoopback(hostname: string): boolean {
  return /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(hostname) || hostname === "[::1]";
}
