import { execFileSync, spawn } from "node:child_process";

export interface PromptWatch {
  /** Calls since the last look that raise an unlock dialog: `Unlock`, `Prompt`, `BeginPrompting`. */
  raised(): Promise<readonly string[]>;
  /** How many sessions with the Secret Service were opened since the last look. */
  sessionsOpened(): Promise<number>;
  stop(): Promise<void>;
}

/** Listens on the private bus for calls that end in a dialog. A dismissed dialog and none at all end alike for the caller, so the bus is asked. */
export async function watchPrompts(env: Readonly<Record<string, string>>): Promise<PromptWatch> {
  const marker = "org.kubectl_oidc.test.Marker";
  const monitor = spawn(
    "dbus-monitor",
    [
      "--session",
      ...["Unlock", "OpenSession"].map((member) => `interface='org.freedesktop.Secret.Service',member='${member}'`),
      "interface='org.freedesktop.Secret.Prompt'",
      "member='BeginPrompting'",
      `interface='${marker}'`,
    ],
    { env: { ...env }, stdio: ["ignore", "pipe", "ignore"] },
  );
  const state = { text: "", marks: 0 };
  monitor.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    state.text += chunk;
  });
  /** A signal of our own, seen in the output: everything sent before it was seen as well. Sent again until the monitor listens. */
  const caughtUp = async () => {
    const name = `Mark${++state.marks}`;
    const until = Date.now() + 10_000;
    while (!state.text.includes(`member=${name}\n`)) {
      if (Date.now() > until) throw new Error("dbus-monitor does not listen");
      execFileSync("dbus-send", ["--session", "--type=signal", "/", `${marker}.${name}`], { env: { ...env } });
      await new Promise((done) => setTimeout(done, 20));
    }
  };
  await caughtUp();
  state.text = "";
  const seen = async (members: string) => {
    await caughtUp();
    const found = [...state.text.matchAll(new RegExp(`^method call .*member=(${members})$`, "gm"))].map((match) => match[1] ?? "");
    state.text = "";
    return found;
  };
  return {
    raised: () => seen("Unlock|Prompt|BeginPrompting"),
    sessionsOpened: async () => (await seen("OpenSession")).length,
    async stop() {
      const gone = new Promise((done) => monitor.once("exit", done));
      monitor.kill("SIGKILL");
      await gone;
    },
  };
}
