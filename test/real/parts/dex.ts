import type { Part } from "./part.ts";
import { versions } from "./versions.ts";

/** Found only: the tags of Dex' releases (v2.45.0) are no versions of its module (which has no /v2), so a module proxy does not have them. */
export const dex: Part = { name: "dex", version: versions.dex, file: "dex", variables: ["DEX"], onPath: ["dex"], versionArgs: ["version"] };
