/** What `systemctl show` says of a service's confinement. */
export interface UnitProperties {
  readonly user: string;
  readonly no_new_privileges: boolean;
  readonly protect_system: string;
  readonly private_tmp: boolean;
  readonly restart_limited: boolean;
}

/** Null when it is not a loaded unit's `Key=value` lines: a unit that is unknown has defaults that say nothing. */
export function parseUnitProperties(text: string): UnitProperties | null {
  const values = new Map<string, string>();
  for (const line of text.split("\n")) {
    const at = line.indexOf("=");
    if (at > 0) values.set(line.slice(0, at), line.slice(at + 1).trim());
  }
  const needed = ["NoNewPrivileges", "ProtectSystem", "PrivateTmp"];
  if (values.get("LoadState") !== "loaded" || needed.some((key) => !values.has(key))) return null;
  const isNever = values.get("Restart") === "no";
  return {
    user: values.get("User") ?? "",
    no_new_privileges: values.get("NoNewPrivileges") === "yes",
    protect_system: values.get("ProtectSystem") ?? "no",
    private_tmp: ["yes", "disconnected"].includes(values.get("PrivateTmp") ?? ""),
    restart_limited: isNever || Number(values.get("StartLimitBurst") ?? "0") > 0,
  };
}

/** The figure at the end of `systemd-analyze security UNIT`, 0 to 10. */
export function parseExposure(text: string): number | null {
  const figure = /Overall exposure level for [^:]+: (\d{1,2}(?:\.\d)?)(?:\s|$)/.exec(text)?.[1];
  return figure === undefined || Number(figure) > 10 ? null : Number(figure);
}
