import { goProgram } from "./go-program.ts";
import type { Part } from "./part.ts";
import { versions } from "./versions.ts";

/**
 * The commit of each release as its module's version. The releases' tags are none: the module's name has no /v2, so v2.45.1 is out of a module
 * proxy's reach, and only a pseudo-version (date and commit of the tag) names it.
 */
const commits: { readonly [version: string]: string } = { "v2.45.1": "v0.0.0-20260303133905-11d2eeb52b42" };

/** Without C: no SQLite, its storage is in memory here. */
export const dex: Part = {
  name: "dex",
  version: versions.dex,
  file: "dex",
  variables: ["DEX"],
  onPath: ["dex"],
  versionArgs: ["version"],
  making: goProgram({
    module: "github.com/dexidp/dex",
    moduleVersion: (version) => commits[version] ?? version,
    main: { package: "github.com/dexidp/dex/cmd/dex" },
    variables: (version) => ({ "main.version": version }),
    file: "dex",
    minutes: 2,
  }),
};
