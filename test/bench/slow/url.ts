import { spawn } from "node:child_process";
import { once } from "node:events";
import { now } from "../clock.ts";
import type { Issuer } from "../parts/issuer.ts";
import { getToken, mustRun, type Stage } from "../parts/stage.ts";
import { type Caller, storageOption } from "./callers.ts";
import type { Timed } from "./outcomes.ts";
import { ownTime, splitRun } from "./spans.ts";

/**
 * `login` on a computer that has logged in at this issuer before, until its event `url` is there; it is ended then. The issuer's own time is not
 * counted, so that it does not matter here whether the program asks it for what it knows.
 */
export async function timeToUrl(stage: Stage, caller: Caller, round: number, issuer: Issuer): Promise<Timed> {
  const env = caller.home(`url-${caller.id}-${round}`);
  await mustRun(stage, [...caller.command, ...getToken(issuer, storageOption[caller.storage])], env);
  const [file = "", ...words] = caller.command;
  const flow = ["--grant-type=authcode", "--listen-address=127.0.0.1:0", "--skip-open-browser", "-o", "json"];
  const args = [
    ...words,
    "login",
    ...getToken(issuer, storageOption[caller.storage])
      .slice(1)
      .filter((word) => !word.startsWith("--grant-type")),
    ...flow,
  ];
  const before = issuer.requests.length;
  const from = now();
  const child = spawn(file, args, { env, stdio: ["ignore", "pipe", "pipe"], timeout: 60_000 });
  const closed = once(child, "close");
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    said += chunk;
  });
  try {
    const to = await new Promise<number>((done, reject) => {
      child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
        if (chunk.includes('"event":"url"')) done(now());
      });
      child.once("error", reject);
      child.once("close", (status) => reject(new Error(`login ended with ${status} before it showed its URL: ${said.trim()}`)));
    });
    const asked = issuer.requests.slice(before);
    return { wall: to - from, own: ownTime({ from, to }, asked), split: splitRun({ from, to }, asked), requests: asked.length };
  } finally {
    child.kill("SIGTERM");
    await closed;
  }
}
