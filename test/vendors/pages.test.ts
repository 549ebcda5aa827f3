import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { presetOf } from "../../src/core/presets.ts";
import { splitCommand } from "../../src/core/split-command.ts";
import { blocksOf } from "../docs/fenced-blocks.ts";
import { auth0 } from "../issuer/vendors/auth0.ts";
import { cognito } from "../issuer/vendors/cognito.ts";
import { entra } from "../issuer/vendors/entra.ts";
import { gitlab } from "../issuer/vendors/gitlab.ts";
import { oktaCustom } from "../issuer/vendors/okta.ts";
import { onVendor, tokenOf } from "./vendor-stage.ts";

interface Configuration {
  readonly jwt: readonly { readonly issuer: { readonly url: string; readonly audiences: readonly string[] }; readonly claimMappings: Readonly<Record<string, unknown>> }[];
}

const textOf = (page: string) => readFileSync(resolve(import.meta.dirname, "../../docs/how-to", page), "utf8");
/** What the page has its reader write for the API server. */
const configurationOf = (page: string) => blocksOf(page).flatMap(({ language, text }) => (language === "yaml" ? [parse(text) as Configuration] : []))[0]?.jwt[0];
/** The arguments of the page's one command for setting up. */
const setupOf = (page: string) => (splitCommand(/^ {4}kubectl oidc setup (.*)$/m.exec(textOf(page))?.[1] ?? "") ?? []).filter((word) => word !== "--context" && word !== "prod");
const optionOf = (words: readonly string[], name: string) => words.find((word) => word.startsWith(`--${name}=`))?.slice(name.length + 3);

describe("a vendor's page", { timeout: 60_000 }, () => {
  it.concurrent.each([
    ["gitlab.md", gitlab, "email,profile"],
    ["okta.md", oktaCustom, "email,profile"],
    ["entra-id.md", entra, "email,profile"],
    ["auth0.md", auth0, "email,profile"],
    ["cognito.md", cognito, "email"],
  ] as const)("%s: its setup, as written but for the issuer, prints its API server's configuration", (page, vendor, scopes) =>
    onVendor(vendor, async ({ issuer, logIn, setUp }) => {
      tokenOf(await logIn("--id-token-cache=disk", `--oidc-extra-scope=${scopes}`));
      const words = setupOf(page).flatMap((word) => (/^--oidc-(issuer-url|client-id)=/.test(word) ? [] : [word]));
      const plan = await setUp(...words);
      expect(plan.status, plan.stderr).toBe(0);
      const printed = plan.stdout.slice(plan.stdout.indexOf("apiVersion: apiserver.config.k8s.io"), plan.stdout.indexOf("# or, before that"));
      const made = (parse(printed) as Configuration).jwt[0];
      const written = configurationOf(page);
      expect(made?.claimMappings).toEqual(written?.claimMappings);
      expect(made?.issuer).toEqual({ url: issuer.issuer, audiences: ["kubernetes"] });
      // What the page says in two places is the same in both.
      expect(written?.issuer).toEqual({ url: optionOf(setupOf(page), "oidc-issuer-url"), audiences: [optionOf(setupOf(page), "oidc-client-id")] });
    }),
  );

  // Its issuer is known by its address alone, so no issuer of ours can stand in its place.
  it("google.md says what the preset does", () => {
    const { usernameClaim, groupsClaim } = presetOf("google");
    expect(configurationOf("google.md")?.claimMappings).toEqual({ username: { claim: usernameClaim, prefix: "oidc:" } });
    expect(groupsClaim).toBeUndefined();
    expect(setupOf("google.md")).toContain("--oidc-issuer-url=https://accounts.google.com");
  });

  it.each(["google", "okta", "entra-id", "auth0", "cognito", "gitlab"])("%s says what was simulated and what was real", (name) =>
    expect(textOf(`${name}.md`)).toMatch(/\*\*Simulated, not real\*\*: nothing of ours has talked to/),
  );
});
