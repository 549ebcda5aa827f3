import { spawn } from "node:child_process";
import { hasProgram } from "../programs.ts";
import { type Home, programCommand } from "./program.ts";
import { screenOf } from "./screen.ts";

/** util-linux' `script` gives the program a terminal of its own. */
export const hasScript = process.platform === "linux" && hasProgram("script");

/** A program on a terminal, and the person before it. */
export interface Conversation {
  /** All that the terminal was sent so far. */
  shown(): string;
  /** What stands on it now. */
  screen(): readonly string[];
  sees(pattern: RegExp): Promise<RegExpExecArray>;
  /** Resolves when a row of the screen matches, with that row. */
  seesRow(pattern: RegExp): Promise<string>;
  type(text: string): void;
  readonly ended: Promise<number | null>;
}

interface Options {
  /** `> file`, `< /dev/null`: what is not the terminal. */
  readonly redirect?: string;
  readonly columns?: number;
  readonly env?: Readonly<Record<string, string>>;
}

export const quoted = (word: string) => `'${word.replaceAll("'", "'\\''")}'`;

/** Starts the built program on a terminal of its own, 80 columns wide when nothing else is said. */
export function inTerminal(home: Home, args: readonly string[], { redirect = "", columns = 80, env = {} }: Options = {}): Conversation {
  const command = `stty cols ${columns} rows 40; exec ${[...programCommand, ...args].map(quoted).join(" ")} ${redirect}`;
  const child = spawn("script", ["-qefc", command, "/dev/null"], {
    env: { ...home.env, TERM: "xterm", SHELL: "/bin/sh", ...env },
    stdio: ["pipe", "pipe", "ignore"],
    cwd: home.folder,
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), 25_000);
  let text = "";
  const looks = new Set<() => void>();
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
    for (const look of looks) look();
  });
  child.stdin.on("error", () => undefined);
  const ended = new Promise<number | null>((done) =>
    child.on("close", (status) => {
      clearTimeout(timer);
      done(status);
    }),
  );
  const sees = <T>(find: () => T | undefined, what: unknown) =>
    new Promise<T>((found, failed) => {
      const look = () => {
        const match = find();
        if (match !== undefined) found(match);
      };
      looks.add(look);
      look();
      void ended.then(() => failed(new Error(`ended without ${what}:\n${text}`)));
    });
  const screen = () => screenOf(text, columns);
  return {
    shown: () => text,
    screen,
    sees: (pattern) => sees(() => pattern.exec(text) ?? undefined, pattern),
    seesRow: (pattern) => sees(() => screen().find((row) => pattern.test(row)), pattern),
    type: (line) => void child.stdin.write(line),
    ended,
  };
}
