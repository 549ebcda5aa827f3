import { join } from "node:path";
import type { SecretService } from "../../desktop/secret-service.ts";
import type { Kubelogin } from "../parts/kubelogin.ts";
import { isMissing, type Missing } from "../parts/missing.ts";
import { type Environment, npmForm, type Stage, standaloneForm } from "../parts/stage.ts";
import { openKeychain } from "./keychain.ts";

export type Storage = "disk" | "keychain";

/** Who refreshes or logs in, and where its refresh token rests. */
export interface Caller {
  readonly id: string;
  readonly form: string;
  readonly storage: Storage;
  /** Its issuer is asked over https. */
  readonly overTls?: true;
  /** The program without its arguments. */
  readonly command: readonly string[];
  /** Arguments that this one needs and the others do not. */
  more(home: string): readonly string[];
  /** A new home for it. */
  home(name: string): Environment & { readonly HOME: string };
}

/** Ids of callers: `disk`, `disk-standalone`, `keychain`, `keychain-standalone`, `kubelogin`, `bare`; each with `-tls` behind it as well. Only what the rows ask for is opened. */
export async function openCallers(stage: Stage, ids: readonly string[], kubelogin: () => Kubelogin | Missing) {
  const keychain = ids.some((id) => id.startsWith("keychain")) ? await openKeychain() : { missing: "not asked for" };
  const callers = new Map(ids.map((id) => [id, callerOf(id)]));
  return {
    callers,
    async stop() {
      if (!isMissing(keychain)) await keychain.stop();
    },
  };

  function callerOf(id: string): Caller | Missing {
    if (id.endsWith("-tls")) {
      const one = callerOf(id.slice(0, -"-tls".length));
      return isMissing(one) ? one : { ...one, id, overTls: true };
    }
    if (id === "kubelogin") {
      const found = kubelogin();
      if (isMissing(found)) return found;
      return { id, form: found.name, storage: "disk", command: [found.file], more: (home) => [`--token-cache-dir=${join(home, "cache")}`], home: stage.home };
    }
    if (id === "bare")
      return { id, form: "a bare script", storage: "disk", command: [stage.running.file, join(stage.root, "test/bench/slow/bare-refresh.cjs")], more: () => [], home: stage.home };
    const storage = id.startsWith("keychain") ? "keychain" : "disk";
    const form = id.endsWith("standalone") ? standaloneForm(stage) : npmForm(stage);
    if (form === undefined) return isMissing(stage.standalone) ? stage.standalone : { missing: "no standalone executable" };
    const service = storage === "disk" ? undefined : keychain;
    if (service !== undefined && isMissing(service)) return service;
    return { id, form: form.name, storage, command: form.command, more: () => [], home: (name) => withService(stage.home(name), service) };
  }
}

const withService = (env: Environment & { readonly HOME: string }, service: SecretService | undefined) => {
  const bus = service?.env["DBUS_SESSION_BUS_ADDRESS"];
  return bus === undefined ? env : { ...env, DBUS_SESSION_BUS_ADDRESS: bus };
};

export const storageOption = { disk: "disk", keychain: "keyring" } as const;

/** By the ids that the table's rows end with. */
export function present(callers: ReadonlyMap<string, Caller | Missing>): readonly Caller[] {
  return [...callers.values()].filter((caller): caller is Caller => !isMissing(caller));
}
