import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Part } from "./part.ts";

/** The official JavaScript client: of this repository's own packages (package.json says which). */
export const javascriptClient: Part = {
  name: "javascript-client",
  version: "of package.json",
  file: "package.json",
  kind: "file",
  variables: [],
  folders: [resolve("node_modules/@kubernetes/client-node")],
  onPath: [],
  versionIn: (path) => (JSON.parse(readFileSync(path, "utf8")) as { readonly version: string }).version,
};
