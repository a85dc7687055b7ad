import type { HereDoc, Redirection } from "unbash";
import { type Folding, foldParts, foldText } from "./fold-word.ts";
import type { FoundRedirect, Frame, Machine } from "./machine.ts";
import { bounded, HOLE, literally, ON_DISK } from "./marks.ts";
import { makeText, resolvePath } from "./made-files.ts";
import { lookup } from "./scope.ts";

/** Redirects of one command with their words folded. */
export function foldRedirects(folding: Folding, redirects: readonly Redirection[]): FoldedRedirect[] {
  return redirects.map((redirect) => {
    const { descriptor } = redirect;
    const fd = descriptor?.type === "FileDescriptor" ? descriptor.value : null;
    const isNamed = descriptor?.type === "FileDescriptorVariable";
    if (redirect.type === "HereDoc")
      return { op: redirect.operator, fd, isNamed, target: null, text: hereText(folding, redirect) };
    const target = redirect.target === undefined ? HOLE : foldText(folding, redirect.target);
    if (redirect.type === "HereString") return { op: "<<<", fd, isNamed, target: null, text: `${literally(target)}\n` };
    return { op: redirect.operator, fd, isNamed, target, text: null };
  });
}

export interface FoldedRedirect {
  readonly op: string;
  readonly fd: number | null;
  /** `{name}>file`: the shell picks the descriptor. */
  readonly isNamed: boolean;
  readonly target: string | null;
  /** The text of a here-document or here-string. */
  readonly text: string | null;
}

function hereText(folding: Folding, { body, operator }: HereDoc): string {
  const text = body.parts === undefined ? body.text : foldParts(folding, body.parts);
  return operator === "<<-" ? text.replace(/^\t+/gm, "") : text;
}

export interface ReadRedirects {
  readonly redirects: readonly FoundRedirect[];
  readonly stdin: string | null;
  /** Where stdout goes: a path, "" for another descriptor, null for where it went before. */
  readonly output: { readonly path: string; readonly isAppended: boolean } | null;
}

/** What the redirects of a command feed to it and where they put what it prints. */
export function readRedirects(machine: Machine, folded: readonly FoldedRedirect[], frame: Frame): ReadRedirects {
  let { stdin } = frame;
  let output: ReadRedirects["output"] = null;
  const redirects: FoundRedirect[] = [];
  for (const { op, fd, isNamed, target, text } of folded) {
    redirects.push({ op, target: text ?? target ?? HOLE });
    if (isNamed) continue;
    if (text !== null) {
      if (fd === null || fd === 0) stdin = text;
      else frame.scope.descriptors.set(fd, text);
    } else if (op === "<" || op === "<>") {
      const content = contentOf(machine, target ?? HOLE, frame);
      if (fd === null || fd === 0) stdin = content;
      else frame.scope.descriptors.set(fd, content);
    } else if (op === "<&") {
      if (fd === null || fd === 0)
        stdin = lookup(frame.scope, "descriptors", Number(target)) ?? (target === "-" ? "" : HOLE);
    } else if (fd === null || fd === 1) {
      const isDuplicate = op === ">&" && /^(?:\d+|-)$/.test(target ?? "");
      output = isDuplicate
        ? { path: "", isAppended: false }
        : { path: resolvePath(frame.scope.cwd, target ?? HOLE), isAppended: op.endsWith(">>") };
    }
  }
  return { redirects, stdin, output };
}

/** Puts what was printed where it goes; gives back what is left for the next in the pipe. */
export function writeOutput(machine: Machine, { output }: ReadRedirects, printed: string): string {
  if (output === null) return printed;
  const { path, isAppended } = output;
  if (path !== "" && path !== "/dev/null" && !/^\/dev\/(?:stderr|stdout|fd\/)/.test(path)) {
    const before = machine.files.get(path);
    const earlier = before?.kind === "text" ? before.text : "";
    // What is only added to a file on disk is not all of it, but it is what the text adds.
    makeText(machine, path, bounded(isAppended ? earlier + printed : printed), printed);
  }
  return path === "/dev/stdout" ? printed : "";
}

/** The content of a file as far as this text wrote it; files on disk are not read. */
export function contentOf(machine: Machine, word: string, frame: Frame): string {
  const path = resolvePath(frame.scope.cwd, literally(word));
  if (/^\/(?:dev\/stdin|dev\/fd\/0|proc\/self\/fd\/0)$/.test(path)) return frame.stdin ?? "";
  const descriptor = /^\/(?:dev|proc\/self)\/fd\/(\d+)$/.exec(path);
  if (descriptor !== null) return lookup(frame.scope, "descriptors", Number(descriptor[1])) ?? HOLE;
  if (path.startsWith("/dev/tcp/") || path.startsWith("/dev/udp/")) return HOLE;
  const made = machine.files.get(path);
  if (made?.kind === "text") return made.text;
  return ON_DISK;
}
