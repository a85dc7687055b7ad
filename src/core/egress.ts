/** What the allowlist says about one connection. `rule` is the rule's position in the file, from 0. */
export type EgressVerdict =
  | { readonly kind: "not-egress" }
  | {
      readonly kind: "approved";
      readonly rule: number;
      /** The name by which it was approved; null when a CIDR approved the address. */
      readonly host: string | null;
      readonly source: "recorder" | "dns" | "address";
      /** What tied the process to the rule: its executable, the name it chose for itself, or nothing was asked. */
      readonly by: "executable" | "process-name" | "any-process";
    }
  | {
      readonly kind: "unapproved";
      readonly reason: "no-rule" | "other-port" | "other-process";
      /** The rule that came closest, when one did. */
      readonly rule: number | null;
    }
  | {
      readonly kind: "unverifiable";
      readonly rule: number;
      readonly why: UnverifiableReason;
    };

/**
 * `owner-unknown`: the rule names a process and the socket's owner is not known.
 * `executable-deleted`: the file the rule names is no longer the one that runs.
 * `host-unknown`: the rule wants a name, and only the address is known.
 * `host-unresolved`: the rule's own name could not be resolved now.
 */
export type UnverifiableReason = "owner-unknown" | "executable-deleted" | "host-unknown" | "host-unresolved";

/**
 * What resolving one host name gave. `none`: the resolver answered that it has no address.
 * `failed`: there was no answer, so nothing follows from it.
 */
export type HostResolution =
  | { readonly kind: "addresses"; readonly addresses: readonly string[] }
  | { readonly kind: "none" }
  | { readonly kind: "failed"; readonly code: HostFailure };

export type HostFailure = "timeout" | "out-of-budget" | "too-many-names" | "resolver-failed";
