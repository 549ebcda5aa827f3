import type { OidcError } from "../../src/errors/oidc-error.ts";
import type { SecretStore } from "../../src/ports.ts";

/** A secret store in memory that records what is asked of it, and fails when a test says so. */
export interface RecordingSecretStore {
  readonly store: SecretStore;
  readonly items: Map<string, string>;
  /** `read NAME`, `write NAME`, … in order. */
  readonly calls: string[];
  /** What the next calls of an operation throw; empty: nothing. */
  readonly faults: Partial<Record<"read" | "write" | "prepare" | "remove" | "probe", OidcError>>;
}

export function recordingSecretStore(): RecordingSecretStore {
  const items = new Map<string, string>();
  const calls: string[] = [];
  const faults: RecordingSecretStore["faults"] = {};
  const record = (operation: keyof typeof faults, name: string) => {
    calls.push(`${operation} ${name}`);
    const fault = faults[operation];
    if (fault !== undefined) throw fault;
  };
  return {
    items,
    calls,
    faults,
    store: {
      kind: "keyring",
      keeps: true,
      describe: () => "the recorder",
      probe: async () => record("probe", ""),
      async read(name) {
        record("read", name);
        return items.get(name);
      },
      async write(name, value) {
        record("write", name);
        items.set(name, value);
      },
      async prepare(name) {
        record("prepare", name);
        return { giveBack: () => void calls.push(`give back ${name}`) };
      },
      async remove(name) {
        record("remove", name);
        items.delete(name);
      },
    },
  };
}
