/** The plugin's id in the host, its npm name and its skill's name. */
export const PLUGIN_ID = "cyber-security-engineer";
