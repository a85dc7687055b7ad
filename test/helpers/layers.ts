/**
 * The layers of src/ and the arrows between them (importer -> imported). This table is the one
 * definition; test/architecture.test.ts enforces it and .oxlintrc.json repeats the bans for editors.
 */
export const LAYERS: Readonly<Record<string, readonly string[]>> = {
  core: [],
  schema: ["core"],
  policy: ["core", "schema"],
  scan: ["core", "schema"],
  assess: ["core", "schema", "scan"],
  report: ["core", "schema", "assess"],
  shell: ["core", "schema"],
  grant: ["core", "schema"],
  audit: ["core", "schema"],
  state: ["core", "schema", "audit", "grant"],
  exec: ["core"],
  collect: ["core", "schema", "exec", "state", "scan", "audit"],
  approve: ["core", "schema", "grant"],
  broker: ["core", "schema"],
  notify: ["core", "schema"],
  schedule: ["core", "schema"],
  app: ["core", "schema", "policy", "scan", "assess", "report", "shell", "grant", "audit"],
  deps: [
    "core",
    "schema",
    "app",
    "state",
    "exec",
    "collect",
    "report",
    "approve",
    "broker",
    "notify",
    "schedule",
    "grant",
    "audit",
  ],
  cli: ["core", "schema", "deps", "app", "report"],
  plugin: ["core", "schema", "deps", "app", "report"],
  // A program of its own, copied away from the package: it imports nothing.
  shim: [],
  "index.ts": ["core", "schema", "deps", "app", "scan", "policy", "assess", "shell", "audit"],
};

/** Pure layers: no node modules, no clock, no randomness, no process. */
export const PURE: readonly string[] = [
  "core",
  "schema",
  "policy",
  "scan",
  "assess",
  "report",
  "shell",
  "grant",
  "audit",
];

/** Packages and node modules, and the only layers that may import them. */
export const ONLY_IN: Readonly<Record<string, readonly string[]>> = {
  "@sinclair/typebox": ["schema"],
  json5: ["schema"],
  "ipaddr.js": ["core"],
  re2js: ["policy"],
  unbash: ["shell"],
  execa: ["exec"],
  "proper-lockfile": ["state"],
  commander: ["cli"],
  openclaw: ["plugin"],
  undici: ["notify"],
  // shim: looks at the folder of the socket before it trusts it.
  "node:fs": ["state", "collect", "exec", "shim"],
  // exec: a root child must be given up without being killed, and by sudo's own session; see run-privileged.ts.
  "node:child_process": ["exec"],
};
