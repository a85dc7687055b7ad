import type { Evidence } from "../core/evidence.ts";
import type { PrivilegePath, PrivilegePaths } from "../core/host-evidence.ts";
import type { FolderMode } from "../core/posture-facts.ts";

/** Something for an administrator to do, in lines as they are typed or written. */
export interface Step {
  readonly title: string;
  readonly lines: readonly string[];
}

const PLAIN_NAME = /^[a-z_][a-z0-9_-]{0,31}$/;
const PLAIN_PATH = /^(?:\/[A-Za-z0-9._+@-]+)+$/;

/** Nothing is put into a line for root that a shell or sudoers could read as more than a name. */
function nameFor(user: string | null): string {
  return user !== null && user !== "root" && PLAIN_NAME.test(user) ? user : "<account>";
}

function pathFor(path: string): string {
  return PLAIN_PATH.test(path) ? path : "<path>";
}

export function pathSteps(user: string, open: readonly PrivilegePath[]): readonly Step[] {
  const name = nameFor(user);
  return [...new Set(open.map(({ via }) => via))].flatMap((via): Step[] => {
    const of = open.filter((path) => path.via === via).map(({ what }) => what);
    switch (via) {
      case "root":
        // unitSteps() say it.
        return [];
      case "sudo":
        return [
          {
            title: `Let sudo ask ${name} for a password each time (visudo; NOPASSWD stays only for what may run unasked)`,
            lines: [
              `grep -rn NOPASSWD /etc/sudoers /etc/sudoers.d`,
              `Defaults:${name} timestamp_timeout=0, use_pty`,
              `${name} ALL=(root) PASSWD: ALL`,
            ],
          },
          {
            title:
              "Or, where nobody can type a password, let only the policy's exact commands go without; this stays L0",
            lines: ["cse posture --sudoers"],
          },
        ];
      case "doas":
        return [{ title: "Take nopass out of /etc/doas.conf", lines: [`permit ${name} as root`] }];
      case "group":
        return [
          {
            title: `Take ${name} out of groups that equal root`,
            lines: of.map((what) => `gpasswd -d ${name} ${groupFor(what)}`),
          },
        ];
      case "container-socket":
        return [
          {
            title: "Close container sockets to the account",
            lines: of.flatMap((what) => [`chmod o-rw ${pathFor(what)}`, `setfacl -b ${pathFor(what)}`]),
          },
        ];
      case "setuid":
        return [
          {
            title: "Take the setuid bit off",
            lines: of.map((what) => `chmod u-s ${pathFor(what.split(" ")[0] ?? "")}`),
          },
        ];
      case "writable-file":
        return [
          {
            title: "Let root alone change what root acts on",
            lines: of.map((what) => `chown root: ${pathFor(what.split(" ")[0] ?? "")}`),
          },
        ];
      case "capability":
        return [
          {
            title: "Take the capabilities from the gateway's unit",
            lines: ["CapabilityBoundingSet=", "AmbientCapabilities="],
          },
        ];
      case "pkexec":
      case "run0":
      case "su":
        return [
          {
            title: `Look at polkit's and PAM's own rules for ${name}`,
            lines: ["ls -l /etc/polkit-1/rules.d", "grep -n . /etc/pam.d/su"],
          },
        ];
    }
  });
}

function groupFor(what: string): string {
  const group = what.split(":")[0] ?? "";
  return PLAIN_NAME.test(group) ? group : "<group>";
}

export function timestampSteps(privilege: Evidence<PrivilegePaths>): readonly Step[] {
  const name = nameFor(privilege.kind === "measured" ? privilege.value.user : null);
  return [{ title: "Have sudo forget a password at once (visudo)", lines: [`Defaults:${name} timestamp_timeout=0`] }];
}

export function sudoLogSteps(user: string | null): readonly Step[] {
  const name = nameFor(user);
  return [
    {
      title: "Have sudo keep a record of its own (visudo)",
      lines: [`Defaults:${name} logfile="/var/log/sudo.json", log_format=json`],
    },
  ];
}

export function folderSteps(user: string | null, folders: readonly FolderMode[]): readonly Step[] {
  const name = nameFor(user);
  return [
    {
      title: "Make the state folders the account's alone, after looking at what is in them",
      lines: folders.flatMap(({ path }) => [`chown ${name}: ${pathFor(path)}`, `chmod 0700 ${pathFor(path)}`]),
    },
  ];
}

export function sandboxSteps(): readonly Step[] {
  return [
    {
      title: "Run every agent's tools in a sandbox (openclaw.json)",
      lines: [
        `"agents": { "defaults": { "sandbox": { "mode": "all", "workspaceAccess": "none" } } },`,
        `"tools": { "elevated": { "enabled": false }, "deny": ["gateway", "plugins", "openclaw"] }`,
      ],
    },
    {
      title: "A tool that must stay on the host: start it so that it can gain no rights",
      lines: ["setpriv --no-new-privs -- COMMAND", "# or in the unit that starts it: NoNewPrivileges=yes"],
    },
  ];
}

export function approverSteps(): readonly Step[] {
  return [
    {
      title:
        "Let only a device approve whose key is elsewhere, enrolled where sudo takes a password; and not whoever holds the gateway's token",
      lines: [
        "cse approvers list",
        "cse approvers enroll DEVICE-ID",
        `"approvers": { "accept": ["device"], "allowRuntime": false }`,
      ],
    },
  ];
}

const NODE = "/usr/local/lib/openclaw/node";

export function unitSteps(user: string | null): readonly Step[] {
  const name = nameFor(user);
  return [
    {
      title: "Start the gateway as a system service under an account of its own",
      lines: [
        "# /etc/systemd/system/openclaw-gateway.service",
        "[Service]",
        `User=${name}`,
        `ExecStart=${NODE} --disable-sigusr1 /usr/lib/node_modules/openclaw/openclaw.mjs gateway run`,
        "UMask=0077",
        "ProtectSystem=yes",
        "# not NoNewPrivileges=yes here: the gateway itself must be able to use sudo",
        "[Install]",
        "WantedBy=multi-user.target",
      ],
    },
  ];
}

/** A file that its user may execute but not read makes a process whose memory is closed to that user. */
export function nodeSteps(): readonly Step[] {
  return [
    {
      title:
        "Give the gateway a Node of root's that others may only execute; this closes its memory to its own account",
      lines: [
        `install -d -o root -g root -m 0755 ${NODE.slice(0, NODE.lastIndexOf("/"))}`,
        `install -o root -g root -m 0711 "$(readlink -f "$(command -v node)")" ${NODE}`,
      ],
    },
  ];
}

export function debuggerSteps(): readonly Step[] {
  return [
    {
      title: "Keep the debugger shut",
      lines: [`ExecStart=${NODE} --disable-sigusr1 /usr/lib/node_modules/openclaw/openclaw.mjs gateway run`],
    },
  ];
}

export function ownCodeSteps(): readonly Step[] {
  return [
    {
      title: "Install OpenClaw and this package as root, outside of the account's home",
      lines: [
        "npm install --global --prefix /usr openclaw cyber-security-engineer",
        "chown -R root:root /usr/lib/node_modules",
      ],
    },
  ];
}
