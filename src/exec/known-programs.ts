/** Programs that hand out another identity; asking one through us would hide what really runs. */
const ELEVATORS: readonly string[] = [
  "sudo",
  "sudoedit",
  "sudo-rs",
  "su",
  "su-rs",
  "doas",
  "doasedit",
  "pkexec",
  "run0",
  "runuser",
  "ksu",
  "dzdo",
  "calife",
  "super",
  "please",
  "gosu",
  "su-exec",
];

/** Shells, languages and the loader: they run the contents of a file or folder that a word names. */
const INTERPRETERS =
  /^(?:(?:r?ba|da|a|k|z|c|tc|mk|lk|pdk|r|fi)?sh|busybox|toybox|(?:python|pypy|perl|ruby|node|deno|bun|php|lua|luajit|tclsh|wish|expect|[gmn]?awk|g?make|gdb|java|guile)(?:[-.]?\d.*)?|irb|nodejs|original-awk|ld(?:-.*)?\.so(?:\.\d+)*)$/;

/** They run a file that a word names, as it is. */
const LAUNCHERS: readonly string[] = [
  "env",
  "nice",
  "ionice",
  "nohup",
  "timeout",
  "setsid",
  "setpriv",
  "setarch",
  "stdbuf",
  "time",
  "chrt",
  "taskset",
  "prlimit",
  "flock",
  "xargs",
  "find",
  "parallel",
  "watch",
  "script",
  "strace",
  "ltrace",
  "chroot",
  "unshare",
  "nsenter",
  "systemd-run",
  "start-stop-daemon",
  "run-parts",
  "dbus-run-session",
  "unbuffer",
  "catchsegv",
  "capsh",
  "cpulimit",
];

export function isElevator(name: string): boolean {
  return ELEVATORS.includes(name);
}

export function isInterpreter(name: string): boolean {
  return INTERPRETERS.test(name);
}

export function isLauncher(name: string): boolean {
  return LAUNCHERS.includes(name);
}

/** True when the program, called with these words, loads modules or rules from its working folder unasked. */
export function loadsFromFolder(names: readonly string[], argv: readonly string[]): boolean {
  if (names.some((name) => /^g?make$/.test(name))) return true;
  if (!names.some((name) => /^(?:python|pypy)[\d.]*$/.test(name))) return false;
  const firstOperand = argv.findIndex((word, index) => index > 0 && !word.startsWith("-"));
  const options = argv.slice(1, firstOperand === -1 ? argv.length : firstOperand);
  // -I and -P keep the folder out; with a script its own folder takes the place.
  if (options.some((word) => /^-[a-zA-Z]*[IP]/.test(word))) return false;
  return firstOperand === -1 || options.some((word) => /^-[a-zA-Z]*[cm]/.test(word));
}
