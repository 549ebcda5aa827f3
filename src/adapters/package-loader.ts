import { createRequire } from "node:module";

/**
 * What loads packages as our files do: the `require` of the bundle, where there is one. To make one has Node load its loader of modules, for a third of a
 * millisecond; only the tests are modules.
 */
export const packageLoader = (): NodeJS.Require => (typeof require === "function" ? require : createRequire(import.meta.url));
