import { expect, it } from "vitest";
import { ordinaryUser, runAsUser } from "../helpers/unprivileged.ts";

it("runs project code as a user for whom file modes hold", async () => {
  const result = await runAsUser(`
    import { escapeControl } from "#src/core/text.ts";
    import { readFile } from "node:fs/promises";
    const shadow = await readFile("/etc/shadow").catch((error) => error.code);
    console.log(JSON.stringify([process.getuid(), shadow, escapeControl("a\\nb")]));
  `);
  expect(result.stderr).toBe("");
  expect(JSON.parse(result.stdout)).toEqual([(await ordinaryUser()).uid, "EACCES", "a\\nb"]);
});
