import { describe, expect, it } from "vitest";
import { parseScriptHead } from "../../../src/exec/script-interpreter.ts";

describe("parseScriptHead", () => {
  it.each([
    ["\x7fELF\x02\x01", { kind: "program" }],
    ["#!/bin/sh\n", { kind: "script", interpreter: "/bin/sh" }],
    ["#! \t/bin/sh -e x\necho", { kind: "script", interpreter: "/bin/sh" }],
    ["#!/usr/bin/env python3\n", { kind: "env-script", env: "/usr/bin/env", name: "python3" }],
    ["#!/usr/bin/env -S node --x\n", { kind: "env-script", env: "/usr/bin/env", name: "node" }],
  ])("takes %j as the kernel does", (head, expected) => {
    expect(parseScriptHead(Buffer.from(head, "latin1"))).toEqual(expected);
  });

  it.each([
    [""],
    ["echo hello\n"],
    ["\x7fEL"],
    ["#!"],
    ["#!\n"],
    ["#! \n"],
    ["#!/bin/sh"],
    ["#!sh\n"],
    ["#!/bin/sh\r\n"],
    ["#!/bin/s\0h\n"],
    ["#!/bin/\xff\n"],
    ["#!/usr/bin/env\n"],
    ["#!/usr/bin/env -i sh\n"],
    ["#!/usr/bin/env A=1 sh\n"],
    ["#!/usr/bin/env -S A=1 sh\n"],
    ["#!/usr/bin/env -S -u X sh\n"],
    ["#!/usr/bin/env -Ssh\n"],
    ["#!/usr/bin/env ./sh\n"],
    ["#!/usr/bin/env -S ${HOME}/sh\n"],
  ])("does not claim to know what runs %j", (head) => {
    expect(parseScriptHead(Buffer.from(head, "latin1")).kind).toBe("unknown");
  });
});
