import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { splitCommand } from "../../src/core/split-command.ts";
import { blocksOf } from "../docs/fenced-blocks.ts";
import { auth0 } from "../issuer/vendors/auth0.ts";
import { cognito } from "../issuer/vendors/cognito.ts";
import { entra } from "../issuer/vendors/entra.ts";
import { gitlab } from "../issuer/vendors/gitlab.ts";
import { google } from "../issuer/vendors/google.ts";
import { oktaCustom } from "../issuer/vendors/okta.ts";
import { onVendor, secretFile, tokenOf } from "./vendor-stage.ts";

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
    ["google.md", google, "email"],
  ] as const)("%s: its setup, as written but for issuer and client, prints its API server's configuration", (page, vendor, scopes) =>
    onVendor(vendor, async (stage) => {
      const { issuer, logIn, setUp } = stage;
      const secret = setupOf(page).some((word) => word.startsWith("--oidc-client-secret-file=")) ? [secretFile(stage)] : [];
      tokenOf(await logIn("--id-token-cache=disk", `--oidc-extra-scope=${scopes}`, ...secret));
      const words = [...setupOf(page).filter((word) => !/^--oidc-(issuer-url|client-id|client-secret-file)=/.test(word)), ...secret];
      const plan = await setUp(...words);
      expect(plan.status, plan.stderr).toBe(0);
      const printed = plan.stdout.slice(plan.stdout.indexOf("apiVersion: apiserver.config.k8s.io"), plan.stdout.indexOf("# or, before that"));
      const made = (parse(printed) as Configuration).jwt[0];
      const written = configurationOf(page);
      expect(made?.claimMappings).toEqual(written?.claimMappings);
      // The throw-away authority of a vendor's real name is printed beside it.
      expect(made?.issuer).toMatchObject({ url: issuer.issuer, audiences: ["kubernetes"] });
      // What the page says in two places is the same in both.
      expect(written?.issuer).toEqual({ url: optionOf(setupOf(page), "oidc-issuer-url"), audiences: [optionOf(setupOf(page), "oidc-client-id")] });
    }),
  );

  it.each(["google", "okta", "entra-id", "auth0", "cognito", "gitlab"])("%s says what was simulated and what was real", (name) =>
    expect(textOf(`${name}.md`)).toMatch(/\*\*Simulated, not real\*\*: nothing of ours has talked to/),
  );
});
