/** The part of OpenClaw's gateway-runtime that is used, in our own words: the host is not there when this is built. */
declare module "openclaw/plugin-sdk/gateway-runtime" {
  export interface GatewayClient {
    /** @param options null: as long as it takes */
    request(method: string, params: unknown, options: { readonly timeoutMs: number | null }): Promise<unknown>;
    /** Connects, and again after each loss. */
    start(): void;
    stop(): void;
  }
  export function createOperatorApprovalsGatewayClient(options: {
    readonly config: unknown;
    readonly clientDisplayName: string;
    readonly onHelloOk: () => void;
    readonly onClose: () => void;
  }): Promise<GatewayClient>;
}
