import { ANY, HOLE, isKnown, OPEN, STAR } from "./marks.ts";

/** A pattern is read as pieces: one character, a class of them, any one, or any text. */
type Piece = { readonly kind: "one"; readonly is: (char: string) => boolean } | { readonly kind: "any-text" };

/** Longer patterns are no names of programs. */
const MAX_PATTERN = 200;
const ANY_TEXT: Piece = { kind: "any-text" };

/** True when `name` may be what a word with wildcards or holes stands for. */
export function mayMatch(pattern: string, name: string): boolean {
  if (pattern.length > MAX_PATTERN) return false;
  return matchesAt(piecesOf(pattern), name);
}

/** Greedy with one point to come back to, so never worse than pattern times name. */
function matchesAt(pieces: readonly Piece[], name: string): boolean {
  let at = 0;
  let piece = 0;
  let backPiece = -1;
  let backAt = 0;
  while (at < name.length) {
    const current = pieces[piece];
    if (current?.kind === "one" && current.is(name.charAt(at))) {
      at += 1;
      piece += 1;
    } else if (current?.kind === "any-text") {
      backPiece = piece;
      backAt = at;
      piece += 1;
    } else if (backPiece >= 0) {
      piece = backPiece + 1;
      backAt += 1;
      at = backAt;
    } else {
      return false;
    }
  }
  return pieces.slice(piece).every(({ kind }) => kind === "any-text");
}

function piecesOf(pattern: string): Piece[] {
  const pieces: Piece[] = [];
  for (let at = 0; at < pattern.length; at += 1) {
    const char = pattern.charAt(at);
    if (char === STAR || !isKnown(char)) {
      pieces.push(ANY_TEXT);
    } else if (char === ANY) {
      pieces.push({ kind: "one", is: (other) => other !== "/" });
    } else if (char === OPEN) {
      const end = pattern.indexOf("]", at + 2);
      if (end === -1) {
        pieces.push({ kind: "one", is: (other) => other === "[" });
      } else {
        pieces.push({ kind: "one", is: classOf(pattern.slice(at + 1, end)) });
        at = end;
      }
    } else {
      pieces.push({ kind: "one", is: (other) => other === char });
    }
  }
  return pieces;
}

function classOf(body: string): (char: string) => boolean {
  const isNegated = body.startsWith("!") || body.startsWith("^");
  const chars = isNegated ? body.slice(1) : body;
  // A class with a name, such as [:alpha:], is taken as any letter or digit.
  if (chars.includes("[:") || chars.includes(`${OPEN}:`)) return () => true;
  return (char) => {
    let isIn = false;
    for (let at = 0; at < chars.length; at += 1) {
      if (chars.charAt(at + 1) === "-" && at + 2 < chars.length) {
        isIn ||= chars.charAt(at) <= char && char <= chars.charAt(at + 2);
        at += 2;
      } else {
        isIn ||= chars.charAt(at) === char;
      }
    }
    return isIn !== isNegated;
  };
}

const BIN_FOLDERS: readonly string[] = ["/usr/bin", "/bin", "/usr/sbin", "/sbin", "/usr/local/bin", "/usr/local/sbin"];

/** The names out of `known` that a command word with wildcards or holes may stand for, in one of the usual folders. */
export function programsMatching(word: string, cwd: string, known: Iterable<string>): string[] {
  const slash = word.lastIndexOf("/");
  const base = word.slice(slash + 1);
  const isRelative = !word.startsWith("/") && !word.startsWith(HOLE) && !word.startsWith(STAR);
  const folders = isRelative && isKnown(cwd) ? [cwd] : BIN_FOLDERS;
  // From a folder that is not known, `./*.sh` is not taken for sudo, but `su?o` is.
  const isTooVague = isRelative && !isKnown(cwd) && base.replace(/[\ufdd0-\ufdd5]/g, "").length < 2;
  if (isTooVague) return [];
  if (word.length > MAX_PATTERN) return [];
  const [basePieces, wordPieces] = [piecesOf(base), piecesOf(word)];
  const isUsualFolder = folders.some((folder) => BIN_FOLDERS.includes(folder));
  const matches: string[] = [];
  for (const name of known) {
    if (!matchesAt(basePieces, name)) continue;
    const isHere = isRelative ? isUsualFolder : folders.some((folder) => matchesAt(wordPieces, `${folder}/${name}`));
    if (isHere) matches.push(name);
  }
  return matches;
}
