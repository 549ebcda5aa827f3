import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Part } from "./part.ts";
import { runTool } from "./run-tool.ts";
import { versions } from "./versions.ts";

/** The distribution archive of Maven Central, unpacked, with its configuration built once for a database in memory: later starts are four times as fast. */
export const keycloak: Part = {
  name: "keycloak",
  version: versions.keycloak,
  file: "bin/kc.sh",
  /** DPoP and the standard token exchange without a preview to switch on. */
  atLeast: "26.4.0",
  variables: ["KEYCLOAK_HOME"],
  onPath: [],
  versionArgs: ["--version"],
  making: {
    needs: ["mvn", "java", "tar"],
    minutes: 2,
    async into(folder, version) {
      const archives = join(folder, "archives");
      mkdirSync(archives);
      const artifact = `org.keycloak:keycloak-quarkus-dist:${version}:tar.gz`;
      // The plugin's present version: those that Maven chooses by itself know no `-DoutputDirectory`.
      const copy = ["-q", "-B", "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy", `-Dartifact=${artifact}`, `-DoutputDirectory=${archives}`];
      await runTool({ program: "mvn", args: copy, cwd: folder, minutes: 15 });
      const archive = readdirSync(archives).find((name) => name.endsWith(".tar.gz"));
      if (archive === undefined) throw new Error("Maven brought no archive");
      await runTool({ program: "tar", args: ["xzf", join(archives, archive), "--strip-components=1"], cwd: folder, minutes: 5 });
      rmSync(archives, { recursive: true });
      await runTool({ program: join(folder, "bin/kc.sh"), args: ["build", "--db=dev-mem"], cwd: folder, minutes: 10 });
    },
  },
};
