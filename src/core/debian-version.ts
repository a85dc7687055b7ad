/**
 * Negative when `a` is the older version. Source: Debian Policy Manual 5.6.12: epoch, upstream version
 * and revision; parts without digits compare by letters before other signs and `~` before the end.
 */
export function compareDebianVersions(a: string, b: string): number {
  const [left, right] = [split(a), split(b)];
  return (
    left.epoch - right.epoch ||
    compareParts(left.upstream, right.upstream) ||
    compareParts(left.revision, right.revision)
  );
}

interface Version {
  readonly epoch: number;
  readonly upstream: string;
  readonly revision: string;
}

function split(text: string): Version {
  const colon = text.indexOf(":");
  const rest = colon === -1 ? text : text.slice(colon + 1);
  const dash = rest.lastIndexOf("-");
  return {
    epoch: colon === -1 ? 0 : Number(text.slice(0, colon)) || 0,
    upstream: dash === -1 ? rest : rest.slice(0, dash),
    revision: dash === -1 ? "" : rest.slice(dash + 1),
  };
}

/** Alternating runs without and with digits, the first ones without. */
function compareParts(a: string, b: string): number {
  let [left, right] = [a, b];
  while (left !== "" || right !== "") {
    const [textA, textB] = [/^\D*/.exec(left)?.[0] ?? "", /^\D*/.exec(right)?.[0] ?? ""];
    const byText = compareText(textA, textB);
    if (byText !== 0) return byText;
    [left, right] = [left.slice(textA.length), right.slice(textB.length)];
    const [numberA, numberB] = [/^\d*/.exec(left)?.[0] ?? "", /^\d*/.exec(right)?.[0] ?? ""];
    // As text, for a number may be longer than a double is exact.
    const [digitsA, digitsB] = [numberA.replace(/^0+/, ""), numberB.replace(/^0+/, "")];
    const byNumber = digitsA.length - digitsB.length || (digitsA < digitsB ? -1 : Number(digitsA > digitsB));
    if (byNumber !== 0) return byNumber;
    [left, right] = [left.slice(numberA.length), right.slice(numberB.length)];
  }
  return 0;
}

function compareText(a: string, b: string): number {
  for (let index = 0; index < Math.max(a.length, b.length); index += 1) {
    const difference = weightOf(a[index]) - weightOf(b[index]);
    if (difference !== 0) return difference;
  }
  return 0;
}

function weightOf(char: string | undefined): number {
  if (char === undefined) return 0;
  if (char === "~") return -1;
  const code = char.charCodeAt(0);
  return /[A-Za-z]/.test(char) ? code : code + 256;
}
