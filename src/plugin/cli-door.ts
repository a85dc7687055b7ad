import { join } from "node:path";
import type { HostApi } from "./host-api.ts";

const COMMAND = {
  name: "cse",
  description: "Cyber Security Engineer: what listens, what talks out, and how safe this host is",
};

/** `openclaw cse` is the `cse` program: the same program in a process of its own, so that nothing is told twice. */
export function registerCliDoor(api: HostApi): void {
  api.registerCli(
    ({ program }) => {
      program
        .command(COMMAND.name)
        .description(COMMAND.description)
        .allowUnknownOption()
        .allowExcessArguments()
        .helpOption(false)
        .argument("[words...]", "a command of cse and its options; --help lists them")
        .action(async (words) => {
          const { runCli } = await import("../deps/cli-door.ts");
          process.exitCode = await runCli(join(api.rootDir ?? "", "dist/cli.js"), words);
        });
    },
    { descriptors: [{ ...COMMAND, hasSubcommands: true }] },
  );
}
