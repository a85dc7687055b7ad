/** Spellings of TCP states by ss, netstat, lsof and Windows, as Linux words. Letters and digits only, upper case. */
const LINUX_WORD: ReadonlyMap<string, string> = new Map([
  ["ESTAB", "ESTABLISHED"],
  ["ESTABLISHED", "ESTABLISHED"],
  ["SYNSENT", "SYN_SENT"],
  ["SYNRECV", "SYN_RECV"],
  ["SYNRCVD", "SYN_RECV"],
  ["SYNRECEIVED", "SYN_RECV"],
  ["NEWSYNRECV", "SYN_RECV"],
  ["FINWAIT1", "FIN_WAIT1"],
  ["FINWAIT2", "FIN_WAIT2"],
  ["TIMEWAIT", "TIME_WAIT"],
  ["CLOSEWAIT", "CLOSE_WAIT"],
  ["LASTACK", "LAST_ACK"],
  ["CLOSING", "CLOSING"],
  ["CLOSE", "CLOSE"],
  ["CLOSED", "CLOSE"],
  ["DELETETCB", "CLOSE"],
  ["LISTEN", "LISTEN"],
  ["LISTENING", "LISTEN"],
  ["UNCONN", "UNCONN"],
  // Bound, but neither listening nor connected.
  ["BOUND", "BOUND"],
  ["BOUNDINACTIVE", "BOUND"],
  // German Windows.
  ["ABHÖREN", "LISTEN"],
  ["HERGESTELLT", "ESTABLISHED"],
  ["SYNGESENDET", "SYN_SENT"],
  ["SYNEMPFANGEN", "SYN_RECV"],
  ["FINWARTEN1", "FIN_WAIT1"],
  ["FINWARTEN2", "FIN_WAIT2"],
  ["WARTEND", "TIME_WAIT"],
  ["SCHLIESSENWARTEN", "CLOSE_WAIT"],
  ["LETZTEACK", "LAST_ACK"],
  ["SCHLIESSEND", "CLOSING"],
]);

/** The Linux word for a tool's TCP state, "UNKNOWN" for a word in a language we do not read. */
export function linuxState(word: string): string {
  return LINUX_WORD.get(word.toUpperCase().replaceAll(/[-_ ]/g, "")) ?? "UNKNOWN";
}

/** True when `word` is a state we know, so that it cannot be the start of something else. */
export function isKnownState(word: string): boolean {
  return linuxState(word) !== "UNKNOWN";
}
