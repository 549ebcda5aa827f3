import { join } from "node:path";
import { planChange } from "../../../src/adapters/kubeconfig-plan.ts";
import { surveyKubeconfig } from "../../../src/adapters/kubeconfig-survey.ts";
import { holds } from "../../../src/core/json-values.ts";
import { entryOf, withContextUser, withEntry } from "../../../src/core/kubeconfig-edits.ts";
import { mustHold, type Target } from "../target.ts";
import { kubeconfigs } from "./files.ts";
import { plantingSubject } from "./stored.ts";

const ours = { exec: { command: "kubectl-oidc", args: ["get-token", "on", "x: y # z"], interactiveMode: "IfAvailable" } };

/** Whatever a kubeconfig is: it is refused by name, or changed so that it says what was wanted, and nothing else of it was changed. */
export const kubeconfigChanges: Target = {
  name: "kubeconfig-change",
  what: "a kubeconfig that is to be changed",
  kind: "text",
  secrets: kubeconfigs.secrets,
  seeds: kubeconfigs.seeds,
  start: () =>
    plantingSubject((plant, folder) => {
      const file = join(folder, "kubeconfig");
      const choice = { kubeconfig: file, env: {}, home: folder };
      return (input) => {
        // A change reads the text six times; what one reading of a large one costs is the target kubeconfig's to watch.
        if (input.length > 65_536) return undefined;
        plant("kubeconfig", input);
        const survey = surveyKubeconfig(choice);
        const [context = "none"] = survey.contexts.keys();
        for (const one of survey.files) {
          const plan = planChange(one, withContextUser(withEntry(one.value, "users", "oidc", ours), context, "oidc"), [{ list: "users", name: "oidc" }]);
          plant("kubeconfig", Buffer.from(plan.after));
          const after = surveyKubeconfig(choice);
          mustHold(holds(after.users.get("oidc")?.value["exec"], ours.exec), "the user is not what was wanted");
          for (const [name, { value }] of survey.users)
            if (name !== "oidc") mustHold(JSON.stringify(after.users.get(name)?.value) === JSON.stringify(value), "another user was changed");
          mustHold([...after.contexts.keys()].join() === [...survey.contexts.keys()].join(), "contexts came or went");
          mustHold(entryOf(after.files[0]?.value ?? {}, "contexts", context) === undefined || after.contexts.get(context)?.userName === "oidc", "the context has another user");
        }
        return survey.current;
      };
    }),
};
