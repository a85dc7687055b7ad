import { spawn } from "node:child_process";
import { collect } from "./unprivileged.ts";

/** Waits until `expect` (a Python regular expression) has come, then types `send`; `{1}` is its first group. */
export interface PtyStep {
  readonly expect: string;
  readonly send: string;
  /** Shell text that is run first, as the tests' own user; `$PID` is the program. */
  readonly first?: string;
}

export interface PtyRun {
  /** Everything the terminal showed, echo included. */
  readonly output: string;
  readonly exitCode: number | null;
  /** The terminal edits lines and shows what is typed, as before. */
  readonly isRestored: boolean;
}

/** Real terminals are made by the kernel; Node has no call for it and Python does. */
const DRIVER = `
import errno, fcntl, json, os, pty, re, select, subprocess, sys, termios, time
job = json.loads(sys.argv[1])
master, slave = pty.openpty()
os.write(master, job["typedBefore"].encode())
pid = os.fork()
if pid == 0:
    os.setsid()
    if job["isControlling"]:
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for fd in (0, 1, 2):
        os.dup2(slave, fd)
    os.execv(job["argv"][0], job["argv"])
output, position, steps, end = b"", 0, list(job["steps"]), time.monotonic() + job["seconds"]
exit_code = None
while time.monotonic() < end:
    if select.select([master], [], [], 0.05)[0]:
        output += os.read(master, 65536)
    elif exit_code is not None:
        break
    if steps:
        found = re.compile(steps[0]["expect"].encode()).search(output, position)
        if found:
            groups = found.groups()
            send = steps[0]["send"].encode().replace(b"{1}", groups[0] if groups else b"")
            position = found.end()
            if "first" in steps[0]:
                subprocess.run(["/bin/sh", "-ec", steps[0]["first"]], env={"PATH": "/usr/bin:/bin", "PID": str(pid)}, check=True)
            os.write(master, send)
            steps.pop(0)
    if exit_code is None:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            exit_code = os.waitstatus_to_exitcode(status)
if exit_code is None:
    os.kill(pid, 9)
flags = termios.tcgetattr(slave)[3]
restored = bool(flags & termios.ICANON) and bool(flags & termios.ECHO)
print(json.dumps({"output": output.decode(errors="replace"), "exitCode": exit_code, "isRestored": restored}))
`;

/** Runs a program with a terminal of its own and types into it. */
export async function runInPty(
  argv: readonly [string, ...string[]],
  options: {
    readonly steps?: readonly PtyStep[];
    readonly typedBefore?: string;
    readonly isControlling?: boolean;
    /** After this it is killed. */
    readonly seconds?: number;
  } = {},
): Promise<PtyRun> {
  const job = { argv, steps: [], typedBefore: "", isControlling: true, seconds: 25, ...options };
  const run = await collect(
    spawn("/usr/bin/python3", ["-I", "-c", DRIVER, JSON.stringify(job)], { stdio: ["ignore", "pipe", "pipe"] }),
  );
  if (run.stderr !== "" || run.exitCode !== 0) throw new Error(`the pty driver failed: ${run.stderr}`);
  return JSON.parse(run.stdout) as PtyRun;
}
