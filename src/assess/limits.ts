import type { HostFacts } from "./assessment.ts";

/** What the reader must know before trusting a report, the special cases of this run first. */
export function limitsOf(host: HostFacts, ran: number, all: number): readonly string[] {
  const limits: string[] = [];
  if (ran < all) limits.push(`Only ${ran} of ${all} checks were run.`);
  if (host.uid !== null && host.uid !== 0) {
    limits.push(
      `The assessment ran as ${host.user} (uid ${host.uid}), not as root: what belongs to other accounts may be out of sight.`,
    );
  }
  if (host.uid === 0) {
    limits.push("The assessment ran as root: where no gateway runs, facts about its account are facts about root's.");
  }
  return [
    ...limits,
    "Identifiers of standards name controls that the evidence is relevant to; this is no certification and no audit.",
    "Ports and connections are what one look showed; what opens and closes between two looks is not in it.",
    "Settings are read from OpenClaw's config with the defaults of 2026.9.6. What overrides it while it runs is not in it: options on the gateway's command line, the permission mode of a session, pairings and exec approvals in its database, and the last good config where OpenClaw refuses the file.",
    "What an agent can do through MCP servers, plugins, other agents' programs (ACP, CLI backends) and paired nodes is not judged.",
    "Whoever controls this account can change the files, the history and this report; keep a copy elsewhere if that matters.",
  ];
}
