import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { DEFAULT_PLUGIN_CONFIG, parsePluginConfig, readPluginConfig } from "../../../src/schema/plugin-config.ts";

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly default?: unknown;
  readonly additionalProperties?: unknown;
}

const manifest = JSON.parse(readFileSync(join(import.meta.dirname, "../../../openclaw.plugin.json"), "utf8")) as {
  configSchema: Schema;
  uiHints: Readonly<Record<string, unknown>>;
  configContracts: { dangerousFlags: { path: string; equals: unknown }[] };
};

/** Dotted name and schema of every setting. */
function leaves(schema: Schema, name = ""): [string, Schema][] {
  if (schema.properties === undefined) return [[name, schema]];
  return Object.entries(schema.properties).flatMap(([key, below]) =>
    leaves(below, name === "" ? key : `${name}.${key}`),
  );
}

function settingOf(config: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>((at, key) => Object(at)[key], config);
}

describe("the plugin's configuration", () => {
  it("is safe when nothing is set", () => {
    expect(parsePluginConfig(undefined)).toEqual({
      approvers: { accept: ["device", "channel"], allowRuntime: false },
      approvalToken: null,
      execGate: { mode: "enforce", opaque: "ask" },
      protectedPaths: [],
      answerWithinSeconds: 600,
      idleMinutes: 30,
      sudoPath: null,
    });
    expect(parsePluginConfig({})).toEqual(DEFAULT_PLUGIN_CONFIG);
  });

  it("takes what is set and leaves the rest", () => {
    const given = { approvers: { accept: ["device"] }, execGate: { opaque: "refuse" }, sudoPath: "/opt/bin/sudo" };
    expect(parsePluginConfig(given)).toEqual({
      ...DEFAULT_PLUGIN_CONFIG,
      approvers: { accept: ["device"], allowRuntime: false },
      execGate: { mode: "enforce", opaque: "refuse" },
      sudoPath: "/opt/bin/sudo",
    });
  });

  it.each([
    [{ execgate: { mode: "enforce" } }],
    [{ execGate: { mode: "on" } }],
    [{ execGate: { mode: "off", extra: 1 } }],
    [{ approvers: { accept: ["runtime"] } }],
    [{ approvers: { accept: ["device", "device"] } }],
    [{ approvers: { allowRuntime: "yes" } }],
    [{ approvalToken: "short" }],
    [{ approvalToken: { source: "env" } }],
    [{ protectedPaths: ["relative"] }],
    [{ protectedPaths: ["/a/../b"] }],
    [{ answerWithinSeconds: 9 }],
    [{ answerWithinSeconds: 601 }],
    [{ idleMinutes: 0 }],
    [{ idleMinutes: 31 }],
    [{ idleMinutes: 1.5 }],
    [{ sudoPath: "/usr/bin//sudo" }],
    [[]],
    ["x"],
  ])("%j is broken, not empty", (given) => {
    expect(readPluginConfig(given)).toEqual({ kind: "broken", message: expect.any(String) });
  });

  it("has the same settings and defaults in the manifest, each with a hint", () => {
    const settings = leaves(manifest.configSchema);
    expect(settings.map(([name]) => name).toSorted()).toEqual(Object.keys(manifest.uiHints).toSorted());
    const accepted = { approvalToken: "a".repeat(8), sudoPath: "/usr/bin/sudo" } as Record<string, unknown>;
    for (const [name, schema] of settings) {
      const value = settingOf(parsePluginConfig(undefined), name);
      expect([name, schema.default ?? null]).toEqual([name, value]);
      if (name in accepted)
        expect(parsePluginConfig({ [name]: accepted[name] })).toMatchObject({ [name]: accepted[name] });
    }
  });

  it("names every setting that weakens it as dangerous", () => {
    expect(manifest.configContracts.dangerousFlags).toEqual([
      { path: "approvers.allowRuntime", equals: true },
      { path: "execGate.mode", equals: "off" },
      { path: "execGate.opaque", equals: "allow" },
    ]);
  });
});
