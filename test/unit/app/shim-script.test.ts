import { describe, expect, it } from "vitest";
import { isShimScript, renderShimScript, shimCommand } from "../../../src/app/shim-script.ts";

const PATHS = { node: "/opt/node/bin/node", program: "/s/shim.cjs", socket: "/s/broker.sock", sudo: "/usr/bin/sudo" };

describe("the text of the shim", () => {
  it("is one command of absolute paths, with nothing of the environment but who and why", () => {
    expect(renderShimScript(PATHS, true)).toBe(`#!/bin/sh -p
# cyber-security-engineer sudo shim; \`cse shim uninstall\` takes it away
exec /usr/bin/env -i OPENCLAW_ELEVATION_TOKEN="\${OPENCLAW_ELEVATION_TOKEN-}" OPENCLAW_PRIV_REASON="\${OPENCLAW_PRIV_REASON-}" /opt/node/bin/node --no-addons /s/shim.cjs /s/broker.sock /usr/bin/sudo "$0" "$@"
`);
    expect(renderShimScript(PATHS, false).startsWith("#!/bin/sh\n")).toBe(true);
  });

  it("is known by its second line only", () => {
    expect(isShimScript(renderShimScript(PATHS, true))).toBe(true);
    expect(["", "#!/bin/sh\n", "x\ny\n# cyber-security-engineer sudo shim"].map(isShimScript)).toEqual([
      false,
      false,
      false,
    ]);
  });

  it.each(["node", "", "/a=b/node", "/a\nb/node", "/a\0/node"])("is not written with the path %j", (node) => {
    expect(() => shimCommand({ ...PATHS, node })).toThrow(expect.objectContaining({ code: "invalid-input" }));
  });
});
