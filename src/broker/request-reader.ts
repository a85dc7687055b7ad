import type { ShimRequest } from "../core/shim.ts";
import { type BrokerMessage, parseBrokerMessage } from "../schema/broker-message.ts";
import { createFrameReader, FRAME, type Frame } from "./frame.ts";

/** A whole request and the token it came with. */
export interface ReceivedRequest {
  readonly token: string;
  readonly request: ShimRequest;
}

/** `malformed`: nothing that comes later can make it right. */
export type Progress = ReceivedRequest | "more" | "malformed";

/** Puts one request together from bytes as they come. Anything beyond it is malformed too. */
export function createRequestReader(): (chunk: Buffer) => Progress {
  const readFrames = createFrameReader();
  let message: BrokerMessage | null = null;
  const stdin: Buffer[] = [];
  let missing = 0;
  let isWhole = false;

  const take = ({ kind, content }: Frame): boolean => {
    if (message === null) {
      message = kind === FRAME.request ? readMessage(content) : null;
      missing = message?.stdinBytes ?? 0;
      return message !== null;
    }
    if (kind !== FRAME.stdin || content.length === 0 || content.length > missing) return false;
    stdin.push(content);
    missing -= content.length;
    return true;
  };

  return (chunk) => {
    if (isWhole) return "malformed";
    const frames = readFrames(chunk);
    if (frames === null || !frames.every(take)) return "malformed";
    if (message === null || missing > 0) return "more";
    isWhole = true;
    const { token, name, words, cwd, reason, stdinBytes } = message;
    const request = {
      name,
      words,
      cwd,
      reason,
      stdin: stdinBytes === null ? null : Buffer.concat(stdin),
    };
    return { token, request };
  };
}

function readMessage(content: Buffer): BrokerMessage | null {
  try {
    return parseBrokerMessage(new TextDecoder("utf-8", { fatal: true }).decode(content));
  } catch {
    // Whatever is wrong with it: whoever sent it is not our shim, or not of our version.
    return null;
  }
}
