import { describe, expect, it } from "vitest";
import { limitsTooLow, notableLimits, parseLimits } from "../../../src/core/resource-limits.ts";

const TEXT = `Limit                     Soft Limit           Hard Limit           Units     
Max cpu time              unlimited            unlimited            seconds   
Max file size             unlimited            unlimited            bytes     
Max data size             unlimited            unlimited            bytes     
Max stack size            8388608              unlimited            bytes     
Max core file size        0                    unlimited            bytes     
Max resident set          unlimited            unlimited            bytes     
Max processes             96364                96364                processes 
Max open files            1024                 20000                files     
Max locked memory         8388608              8388608              bytes     
Max address space         unlimited            unlimited            bytes     
Max nice priority         0                    0                    
`;

function read(text: string) {
  const limits = parseLimits(text);
  if (limits === null) throw new Error("not read");
  return limits;
}

describe("H36: the resource limits of the caller", () => {
  it("are read whole, and nothing is said of usual ones", () => {
    const limits = read(TEXT);
    expect(limits).toHaveLength(11);
    expect(limits[7]).toEqual({ name: "Max open files", soft: "1024", hard: "20000" });
    expect([limitsTooLow(limits), notableLimits(limits)]).toEqual([[], []]);
  });

  it.each([
    ["Max cpu time              unlimited", "Max cpu time              3599     ", "processor time 3599 s"],
    ["Max file size             unlimited", "Max file size             0        ", "file size 0 bytes"],
    ["Max data size             unlimited", "Max data size             1000000  ", "data 1000000 bytes"],
    ["Max stack size            8388608  ", "Max stack size            1048575  ", "stack 1048575 bytes"],
    ["Max processes             96364", "Max processes             63   ", "processes 63"],
    ["Max open files            1024", "Max open files            255 ", "open files 255"],
    ["Max address space         unlimited", "Max address space         99999999 ", "address space 99999999 bytes"],
  ])("are too low with %s as %s", (from, to, words) => {
    const limits = read(TEXT.replace(from, to));
    expect([limitsTooLow(limits), notableLimits(limits)]).toEqual([[words], [words]]);
  });

  it("are told of where they are low and not too low", () => {
    const text = TEXT.replace("cpu time              unlimited", "cpu time              3600     ").replace(
      "files            1024",
      "files            256 ",
    );
    expect([limitsTooLow(read(text)), notableLimits(read(text))]).toEqual([
      [],
      ["processor time 3600 s", "open files 256"],
    ]);
  });

  it("are too low where one is not known", () => {
    expect(limitsTooLow([])).toHaveLength(7);
    expect(parseLimits("")).toBeNull();
    expect(parseLimits(TEXT.replace("Max open files ", "Max open fires "))).toBeNull();
    expect(
      parseLimits(TEXT.replace("Max cpu time              unlimited", "Max cpu time              -1       ")),
    ).toBeNull();
  });
});
