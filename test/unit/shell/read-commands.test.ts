import { describe, expect, it } from "vitest";
import { readCommands } from "../../../src/shell/read-commands.ts";

describe("readCommands", () => {
  it("folds constants and leaves null for what is not known", () => {
    const { commands, opaque } = readCommands('x=a; A=1 cp "$x"b $Y \'c d\' > /tmp/"$x" 2>>e');
    expect(opaque).toEqual([]);
    expect(commands.map(({ words, assignments, redirects }) => ({ words, assignments, redirects }))).toEqual([
      { words: [], assignments: [{ name: "x", value: "a" }], redirects: [] },
      {
        words: ["cp", "ab", null, "c d"],
        assignments: [{ name: "A", value: "1" }],
        redirects: [
          { op: ">", target: "/tmp/a" },
          { op: ">>", target: "e" },
        ],
      },
    ]);
  });

  it("reads through wrappers, shells and elevators and says which", () => {
    const { commands } = readCommands("env -i timeout 5 bash -c 'sudo -u bob cat /etc/shadow'");
    expect(commands.map(({ words, via }) => [words.join(" "), via.join(" > ")])).toEqual([
      ["env -i timeout 5 bash -c sudo -u bob cat /etc/shadow", ""],
      ["timeout 5 bash -c sudo -u bob cat /etc/shadow", "env"],
      ["bash -c sudo -u bob cat /etc/shadow", "env > timeout"],
      ["sudo -u bob cat /etc/shadow", "env > timeout > bash -c"],
      ["cat /etc/shadow", "env > timeout > bash -c > sudo"],
    ]);
  });

  it("knows the home folder when it is told", () => {
    const words = readCommands("cat ~/x $HOME/y", { home: "/home/a" }).commands[0]?.words;
    expect(words).toEqual(["cat", "/home/a/x", "/home/a/y"]);
    expect(readCommands("cat ~/x").commands[0]?.words).toEqual(["cat", null]);
  });

  it("gives here-documents and here-strings as their text", () => {
    const { commands } = readCommands("cat <<EOF; cat <<< b\na $((1+1))\nEOF");
    expect(commands.flatMap(({ redirects }) => redirects)).toEqual([
      { op: "<<", target: "a 2\n" },
      { op: "<<<", target: "b\n" },
    ]);
  });

  it("says why a part is not read", () => {
    expect(readCommands('eval "$X"').opaque).toEqual(["the text given to eval is known only when it runs"]);
  });
});
