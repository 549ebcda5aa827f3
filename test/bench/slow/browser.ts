import { execFileSync } from "node:child_process";
import { closeSync, constants, openSync, writeFileSync } from "node:fs";
import { get, type IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { join } from "node:path";
import { now } from "../clock.ts";
import type { Span } from "./spans.ts";

/**
 * A browser whose person has an open session at the issuer: it follows redirects at once. The command that is started only hands the URL over,
 * so that starting it costs as little as a program can; the pages are fetched by the bench.
 */
export interface Browser {
  /** For `--browser-command`. */
  readonly command: string;
  /** What it did, from when it had the URL until its request for the callback was on its way. */
  readonly spans: Span[];
  stop(): void;
}

export function openBrowser(folder: string): Browser {
  const pipe = join(folder, "urls");
  const command = join(folder, "browser");
  execFileSync("mkfifo", ["-m", "600", pipe]);
  writeFileSync(command, `#!/bin/sh\nprintf '%s\\n' "$1" >'${pipe}'\n`, { mode: 0o700 });
  // For writing too: without a writer a pipe that is read has ended.
  const fd = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK);
  const socket = new Socket({ fd, readable: true, writable: false });
  const spans: Span[] = [];
  let text = "";
  socket.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
    for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n")) {
      void visit(text.slice(0, at), spans);
      text = text.slice(at + 1);
    }
  });
  return {
    command,
    spans,
    stop() {
      socket.destroy();
      try {
        closeSync(fd);
      } catch {
        // The socket closed it.
      }
    },
  };
}

/**
 * From page to page; some programs' first page is their own. A request that fails is seen where the login is: it does not end well.
 */
async function visit(first: string, spans: Span[]): Promise<void> {
  const from = now();
  const done = () => void spans.push({ from, to: now() });
  try {
    for (let url = first; ; ) {
      const isCallback = new URL(url).searchParams.has("code");
      const { headers } = await fetchPage(url, isCallback ? done : () => undefined);
      if (isCallback) return;
      url = new URL(headers.location ?? "", url).href;
    }
  } catch {
    done();
  }
}

function fetchPage(url: string, onSent: () => void): Promise<IncomingMessage> {
  return new Promise((done, reject) => {
    get(url, { agent: false }, (answer) => {
      answer.resume();
      answer.once("end", () => done(answer));
      answer.once("error", reject);
    })
      .once("finish", onSent)
      .once("error", reject);
  });
}
