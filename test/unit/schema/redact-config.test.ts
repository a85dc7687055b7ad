import { describe, expect, it } from "vitest";
import { redactConfig } from "../../../src/schema/redact-config.ts";

const CANARY = "canary-9d2e-never-in-a-copy";

describe("a copy of the config for OpenClaw's own checks", () => {
  it("holds no secret, wherever one may stand", () => {
    const copy = redactConfig({
      gateway: { auth: { mode: "token", token: CANARY, password: CANARY } },
      channels: { telegram: { botToken: CANARY, accounts: { a: { webhookSecret: CANARY } } } },
      models: {
        providers: {
          x: {
            apiKey: CANARY,
            headers: { "x-any": CANARY },
            baseUrl: `https://u:${CANARY}@h.example/v1?key=${CANARY}`,
          },
        },
      },
      env: { ANY_NAME: CANARY, vars: { OTHER: CANARY } },
      mcp: { servers: { s: { command: "npx", env: { K: CANARY }, args: ["--key", "sk1234567890abcdefghij"] } } },
      odd: { place: "ghp_0123456789abcdefABCDEF0123456789abcd" },
    });
    expect(JSON.stringify(copy)).not.toMatch(/canary|sk1234567890|ghp_0123/);
    expect(copy).toMatchObject({
      gateway: { auth: { mode: "token", token: expect.stringMatching(/^.{27}$/) as unknown } },
      models: { providers: { x: { baseUrl: "https://h.example/v1" } } },
    });
  });

  it("keeps what is none: modes, ids, numbers, paths and references to a store", () => {
    const plain = {
      gateway: {
        bind: "loopback",
        port: 18_789,
        auth: { mode: "token", token: { source: "exec", provider: "p", id: "t" } },
      },
      channels: {
        telegram: { dmPolicy: "allowlist", allowFrom: ["100200300"], groups: { "-1001": { requireMention: true } } },
      },
      agents: {
        defaults: {
          workspace: "/home/someone/2026-work/space",
          model: { primary: "anthropic/claude" },
          contextTokens: 100,
        },
      },
      tools: { exec: { mode: "ask" } },
    };
    expect(redactConfig(plain)).toEqual(plain);
  });

  it("replaces what comes from the environment, whose value is not known here", () => {
    expect(JSON.stringify(redactConfig({ a: "${SOME_NAME}" }))).not.toContain("SOME_NAME");
  });
});
