import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Part } from "./part.ts";
import { runTool } from "./run-tool.ts";
import { versions } from "./versions.ts";

/** The official Python client, with what it needs, in a folder for PYTHONPATH: no virtual environment, which could not be moved. */
export const pythonClient: Part = {
  name: "python-client",
  version: versions["python-client"],
  file: "packages/kubernetes",
  kind: { folderWith: "__init__.py" },
  variables: ["PYTHON_KUBERNETES"],
  onPath: [],
  versionIn: (path) => /__version__ = "([^"]+)"/.exec(readFileSync(join(path, "__init__.py"), "utf8"))?.[1],
  making: {
    needs: ["python3"],
    minutes: 1,
    async into(folder, version) {
      const args = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-warn-script-location",
        `--target=${join(folder, "packages")}`,
        `kubernetes==${version}`,
      ];
      await runTool({ program: "python3", args, cwd: folder, minutes: 10 });
    },
  },
};
