/** The people that the provider knows. The passwords are public: this issuer lives for one test or one demo. */
export const accounts = {
  alice: { password: "alice-password", name: "Alice Archer", email: "alice@example.com", groups: ["admins", "developers"] },
  bob: { password: "bob-password", name: "Bob Baker", email: "bob@example.com", groups: ["developers"] },
} as const;

export type AccountName = keyof typeof accounts;

/** The name as one of ours, when name and password fit together; undefined otherwise. */
export function accountFor(name: string, password: string): AccountName | undefined {
  if (name !== "alice" && name !== "bob") return undefined;
  return accounts[name].password === password ? name : undefined;
}

/** The OpenID claims of one person; `sub` is the account's name. */
export function claimsOf(name: AccountName): { sub: string; name: string; email: string; email_verified: boolean; groups: readonly string[] } {
  const { name: fullName, email, groups } = accounts[name];
  return { sub: name, name: fullName, email, email_verified: true, groups };
}
