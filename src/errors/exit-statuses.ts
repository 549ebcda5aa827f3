/** Exit status → who must act (docs/adr/0004-error-statuses.md). Help, man page and reference read this table; the codes are in `catalogue.ts`. */
export const exitStatuses = {
  0: "nobody: it worked",
  1: "us",
  2: "the person at the keyboard",
  20: "the user must log in, or did not finish",
  30: "the issuer or the network",
  40: "whoever wrote the kubeconfig",
  50: "this computer",
  130: "nobody: it was interrupted",
} as const;
