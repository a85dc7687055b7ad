import type { GatewayEngine } from "../deps/gateway.ts";

/**
 * The host loads this module several times in one process, each a copy with globals of its own, and
 * runs tools and hooks in another copy than the service. What they share hangs here. Any code in
 * this process can reach it: such code is inside the gateway already.
 */
const KEY = Symbol.for("cyber-security-engineer");
/** Raised when the shape of what is shared changes: copies of another version see nothing. */
const VERSION = 1;

interface Shared {
  readonly version: number;
  readonly engine: GatewayEngine;
}

type Slot = Record<symbol, Shared | undefined>;

/** Null: the service does not run, or is of another version. */
export function sharedEngine(): GatewayEngine | null {
  const shared = (globalThis as unknown as Slot)[KEY];
  return shared?.version === VERSION ? shared.engine : null;
}

/** Shares this engine; the one before it is closed first, so that there are never two brokers. */
export async function shareEngine(open: () => Promise<GatewayEngine>): Promise<GatewayEngine> {
  const slot = globalThis as unknown as Slot;
  const before = slot[KEY];
  slot[KEY] = undefined;
  await before?.engine.close();
  const engine = await open();
  slot[KEY] = { version: VERSION, engine };
  return engine;
}

/** Takes back what `shareEngine` shared, unless another took its place. */
export function unshareEngine(engine: GatewayEngine): void {
  const slot = globalThis as unknown as Slot;
  if (slot[KEY]?.engine === engine) slot[KEY] = undefined;
}
