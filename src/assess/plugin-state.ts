import type { OpenClawConfig, PluginEntry } from "../schema/openclaw-config.ts";

const PLUGIN_ID = "cyber-security-engineer";

/** What OpenClaw's config says about our plugin. That it is loaded is another question. */
export interface PluginState {
  /** Null: the config lets it run. Otherwise why it does not run, in words. */
  readonly off: string | null;
  /** Null: the config has none. */
  readonly entry: PluginEntry | null;
  readonly text: string;
}

export function pluginState({ plugins }: OpenClawConfig): PluginState {
  const entry = plugins.entries.find(({ id }) => id === PLUGIN_ID) ?? null;
  const off = whyOff(plugins, entry);
  const gate =
    entry === null ? "" : `, gate ${entry.gate === null ? "not valid" : `${entry.gate.mode}/${entry.gate.opaque}`}`;
  const state = entry === null ? "has no entry" : `entry enabled ${entry.enabled ?? "unset"}`;
  const denied = plugins.deny.includes(PLUGIN_ID) ? ", denied" : "";
  const listed = plugins.allow === null || plugins.allow.includes(PLUGIN_ID) ? "" : ", not in plugins.allow";
  return {
    off,
    entry,
    text: `plugins enabled ${plugins.enabled.value}; ${PLUGIN_ID} ${state}${gate}${denied}${listed}`,
  };
}

function whyOff(plugins: OpenClawConfig["plugins"], entry: PluginEntry | null): string | null {
  if (!plugins.enabled.value) return "plugins.enabled is false";
  if (plugins.deny.includes(PLUGIN_ID)) return "plugins.deny names it";
  if (plugins.allow !== null && !plugins.allow.includes(PLUGIN_ID)) return "plugins.allow does not name it";
  if (entry === null) return "the config has no entry of it";
  // An entry that does not say so enables nothing that can be relied on.
  return entry.enabled === true ? null : `its entry has enabled ${entry.enabled ?? "unset"}`;
}
