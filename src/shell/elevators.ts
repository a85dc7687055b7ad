import { isKnown, literally } from "./marks.ts";
import { hasOption, type OptionSpec, readOptions, valuesOf } from "./options.ts";

/**
 * Programs that give another user's rights, or the host's from inside a container. What counts is that the
 * program is reached, not that it would succeed: `sudo -l` is asked about as `sudo id` is.
 */
interface Elevator {
  /** Why it counts, said after its name. */
  readonly why: string;
  /** True where these arguments reach for more rights; without it, any use does. */
  readonly when?: (args: readonly string[]) => boolean;
  /** How to find the command it would run, so that its words are read as well. */
  readonly options?: OptionSpec;
}

const RUNS_AS_ROOT = "runs a command as another user";
const SETUID_GROUP = "is setuid root and gives a group that the session does not have, such as docker's";
const CONTAINER = "starts a container that holds the host's files, devices or namespaces";
const SUDO_OPTIONS: OptionSpec = {
  short: "CDRTUghprtu",
  long: [
    "user",
    "group",
    "chdir",
    "prompt",
    "host",
    "chroot",
    "close-from",
    "command-timeout",
    "role",
    "type",
    "other-user",
  ],
};

const ELEVATORS: Readonly<Record<string, Elevator>> = {
  sudo: { why: RUNS_AS_ROOT, options: SUDO_OPTIONS },
  "sudo-rs": { why: RUNS_AS_ROOT, options: SUDO_OPTIONS },
  "sudo.ws": { why: RUNS_AS_ROOT, options: SUDO_OPTIONS },
  sudoedit: { why: "edits a file as another user" },
  "sudoedit-rs": { why: "edits a file as another user" },
  su: { why: RUNS_AS_ROOT },
  "su-rs": { why: RUNS_AS_ROOT },
  ksu: { why: RUNS_AS_ROOT },
  doas: { why: RUNS_AS_ROOT, options: { short: "uCa" } },
  opendoas: { why: RUNS_AS_ROOT, options: { short: "uCa" } },
  doasedit: { why: "edits a file as another user" },
  pkexec: { why: RUNS_AS_ROOT, options: { long: ["user"], short: "u" } },
  run0: {
    why: RUNS_AS_ROOT,
    options: {
      short: "ugDpM",
      long: ["user", "group", "chdir", "property", "unit", "slice", "nice", "setenv", "background", "machine"],
    },
  },
  runuser: { why: RUNS_AS_ROOT },
  // Small relatives found in images and on desktops; each starts its operands as another user.
  gosu: { why: RUNS_AS_ROOT },
  "su-exec": { why: RUNS_AS_ROOT },
  setuidgid: { why: RUNS_AS_ROOT },
  gksu: { why: RUNS_AS_ROOT },
  gksudo: { why: RUNS_AS_ROOT },
  kdesu: { why: RUNS_AS_ROOT },
  kdesudo: { why: RUNS_AS_ROOT },
  lxsudo: { why: RUNS_AS_ROOT },
  lxqt: { why: RUNS_AS_ROOT, when: (args) => args[0] === "sudo" },
  "lxqt-sudo": { why: RUNS_AS_ROOT },
  beesu: { why: RUNS_AS_ROOT },
  please: { why: RUNS_AS_ROOT },
  pleaseedit: { why: "edits a file as another user" },
  dzdo: { why: RUNS_AS_ROOT },
  pfexec: { why: RUNS_AS_ROOT },
  pbrun: { why: RUNS_AS_ROOT },
  super: { why: RUNS_AS_ROOT },
  userhelper: { why: "is the setuid helper of consolehelper" },
  visudo: { why: "changes who may become root" },
  // Not another uid, but a right the caller did not hold: members of docker, disk or lxd are root by another name.
  newgrp: { why: SETUID_GROUP },
  sg: { why: SETUID_GROUP },
  // From the kernel's side these need rights already; where they succeed they leave the sandbox or the container.
  nsenter: {
    why: "enters the namespaces of another process",
    when: doesMoreThanHelp,
    options: { short: "tSG", long: ["target", "setuid", "setgid"] },
  },
  chroot: {
    why: "changes the root folder, which only root may",
    when: doesMoreThanHelp,
    options: { long: ["userspec", "groups"] },
  },
  // setpriv mostly lowers; it raises when told which ids, groups or capabilities to take.
  setpriv: { why: "takes other ids or capabilities", when: raisesWithSetpriv },
  capsh: {
    why: "takes other ids or capabilities",
    when: (args) => args.some((arg) => /^--(?:uid|gid|user|groups|inh|addamb|caps)=/.test(arg)),
  },
  // The system manager runs it as root after polkit agrees; with --user the user's own manager does.
  "systemd-run": {
    why: "runs a command through the system manager, as root",
    when: (args) => !optionsBefore(args).includes("--user"),
  },
  machinectl: {
    why: "opens a session as root",
    when: (args) => args.some((arg) => arg === "shell" || arg === "login"),
  },
  // A daemon that is root runs the container; whether the host is in it decides.
  docker: { why: CONTAINER, when: reachesHost },
  podman: { why: CONTAINER, when: reachesHost },
  nerdctl: { why: CONTAINER, when: reachesHost },
  "docker-compose": { why: CONTAINER, when: reachesHost },
  lxc: { why: CONTAINER, when: reachesHostByLxc },
  incus: { why: CONTAINER, when: reachesHostByLxc },
  ctr: { why: CONTAINER, when: asksPrivilege },
  buildah: { why: CONTAINER, when: asksPrivilege },
  crictl: { why: CONTAINER, when: asksPrivilege },
  kubectl: { why: CONTAINER, when: asksPrivilege },
  "systemd-nspawn": { why: CONTAINER, when: doesMoreThanHelp },
  // It becomes root on the hosts it is told, of which this machine may be one.
  ansible: { why: RUNS_AS_ROOT, when: becomesByAnsible },
  "ansible-playbook": { why: RUNS_AS_ROOT, when: becomesByAnsible },
  "ansible-console": { why: RUNS_AS_ROOT, when: becomesByAnsible },
  // The login and polkit helpers are setuid and made for nobody to call.
  "polkit-agent-helper-1": { why: "is polkit's setuid helper" },
  "dbus-daemon-launch-helper": { why: "is the setuid helper of D-Bus" },
  // Wrappers of other systems that end in an administrator's rights.
  gsudo: { why: RUNS_AS_ROOT },
};

export const ELEVATOR_NAMES: readonly string[] = Object.keys(ELEVATORS);

/** Names that mean elevation wherever they are a command; containers and the like depend on their arguments. */
const ALWAYS: ReadonlySet<string> = new Set(ELEVATOR_NAMES.filter((name) => ELEVATORS[name]?.when === undefined));

export function isElevatorName(name: string): boolean {
  return ALWAYS.has(name);
}

/** Why this command elevates, or null. `args` are without the program. */
export function elevation(name: string, args: readonly string[]): { readonly why: string } | null {
  const elevator = Object.hasOwn(ELEVATORS, name) ? ELEVATORS[name] : undefined;
  if (elevator === undefined) return null;
  return elevator.when === undefined || elevator.when(args) ? elevator : null;
}

/** The command that an elevator would start, as far as its words show; empty where they do not. */
export function commandUnder(name: string, args: readonly string[]): readonly string[] {
  const options = ELEVATORS[name]?.options;
  if (options === undefined) return [];
  const { operands } = readOptions(args, options);
  const start = operands.findIndex((word) => !/^[A-Za-z_]\w*=/.test(word));
  const skipped = name === "chroot" ? 1 : 0;
  return start === -1 ? [] : operands.slice(start + skipped);
}

function doesMoreThanHelp(args: readonly string[]): boolean {
  return !(args.length === 1 && /^(?:--help|--version|-h|-V)$/.test(args[0] ?? ""));
}

function asksPrivilege(args: readonly string[]): boolean {
  return args.some((arg) => /^--privileged(?:=true)?$|"(?:privileged|hostPID)"\s*:\s*true/.test(arg));
}

function becomesByAnsible(args: readonly string[]): boolean {
  return args.some((arg) => /^(?:--become|--ask-become-pass|-[CDv]*[bK])$|^ansible_become=/.test(arg));
}

function raisesWithSetpriv(args: readonly string[]): boolean {
  return optionsBefore(args).some(
    (arg) =>
      /^--(?:(?:r|e|re)?[ug]id|groups|init-groups|keep-groups|inh-caps|ambient-caps|reset-env)\b/.test(arg) &&
      !/^--(?:inh-caps|ambient-caps)=-/.test(arg) &&
      !/^--reset-env\b/.test(arg),
  );
}

/** The options before the command. */
function optionsBefore(args: readonly string[]): readonly string[] {
  const end = args.findIndex((arg) => arg === "--" || !arg.startsWith("-"));
  return end === -1 ? args : args.slice(0, end);
}

/** Folders of the host that, inside a container, are the host. */
const HOST_MOUNT =
  /^(?:\/|\/(?:etc|root|home|usr|bin|sbin|lib|lib64|boot|dev|proc|sys|var|run|opt)(?:\/(?:run|lib|spool|spool\/cron))?\/?|(?:\/var)?\/run\/(?:docker|podman|containerd|crio)[^:]*\.sock|\/(?:etc|root|boot|dev|sys|proc)\/.*|\/var\/lib\/docker.*)$/;
/** Projects below /home or /opt are mounted every day; the folders above are the host itself. */
const OWN_VALUE = [
  "volume",
  "mount",
  "pid",
  "ipc",
  "uts",
  "userns",
  "net",
  "network",
  "cap-add",
  "device",
  "security-opt",
  "cgroupns",
  "name",
  "env",
  "workdir",
  "user",
  "publish",
  "label",
  "hostname",
  "entrypoint",
  "env-file",
  "memory",
  "cpus",
  "restart",
  "platform",
  "add-host",
  "tmpfs",
  "volumes-from",
  "log-driver",
  "shm-size",
  "ulimit",
  "gpus",
  "context",
  "host",
  "file",
  "project-name",
];
const DOCKER_OPTIONS: OptionSpec = { short: "vewpulmhncfH", long: OWN_VALUE, isPermuted: false };

function reachesHost(args: readonly string[]): boolean {
  let rest = args;
  // `docker container run`, `docker compose run`, `docker --context x run`.
  for (let words = 0; words < 4; words += 1) {
    const { operands } = readOptions(rest, DOCKER_OPTIONS);
    const [verb] = operands;
    if (verb === undefined) return false;
    if (["run", "create", "exec"].includes(verb)) return startsOnHost(operands.slice(1));
    if (!["container", "compose"].includes(verb)) return false;
    rest = operands.slice(1);
  }
  return false;
}

function startsOnHost(args: readonly string[]): boolean {
  const read = readOptions(args, DOCKER_OPTIONS);
  if (hasOption(read, "--privileged")) {
    return !valuesOf(read, "--privileged").includes("false");
  }
  const sources = [
    ...valuesOf(read, "-v", "--volume").map((value) => literally(value).replace(/^=/, "").split(":")[0] ?? ""),
    ...valuesOf(read, "--mount").map((value) => /(?:^|,)(?:src|source)=([^,]*)/.exec(value)?.[1] ?? ""),
  ];
  return (
    sources.some(
      (source) => isKnown(source) && HOST_MOUNT.test(source.replace(/\/{2,}/g, "/").replace(/(?:\/\.)+$/, "/")),
    ) ||
    valuesOf(read, "--pid", "--userns", "--ipc", "--uts", "--cgroupns").includes("host") ||
    valuesOf(read, "--cap-add").some((value) =>
      /^(?:cap_)?(?:all|sys_admin|sys_ptrace|sys_module|dac_read_search|sys_rawio)$/i.test(value),
    ) ||
    valuesOf(read, "--device").some((value) => /^\/dev\/(?:sd|nvme|vd|xvd|mem|kmem|disk|mapper)/.test(value))
  );
}

function reachesHostByLxc(args: readonly string[]): boolean {
  return args.some((arg) => /^security\.privileged=(?:true|1)$|^source=\/(?:etc|root|dev)?$|^raw\.lxc/.test(arg));
}
