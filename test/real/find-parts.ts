import type { TestProject } from "vitest/node";
import { catalogue } from "./parts/catalogue.ts";
import { absence, type Found, findPart } from "./parts/part.ts";

/** What the tests are told of a part: where it is, or why it is not there. */
export type Told = Found | { readonly name: string; readonly absent: string };

declare module "vitest" {
  interface ProvidedContext {
    parts: readonly Told[];
  }
}

/** Before test/clean-environment.ts, which takes the variables away that may name a part. */
export default function findParts({ provide }: TestProject): void {
  provide("parts", tellParts());
}

export const tellParts = (): readonly Told[] => catalogue.map((part) => findPart(part) ?? { name: part.name, absent: absence(part) });
