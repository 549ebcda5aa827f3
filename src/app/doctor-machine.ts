import { failed, type Outcome, ok, skipped, warn } from "../core/checks/outcome.ts";
import { isMachineGrant } from "../core/keys.ts";
import { safeText } from "../core/untrusted-text.ts";
import { attempt } from "./doctor-session.ts";
import type { Run } from "./world.ts";

/** D-18: each address is bound once, in both families where a login would, and freed. `platform` decides how the holder of a port is found. */
export async function checkPorts({ world, settings }: Run, platform: string): Promise<Outcome> {
  if (isMachineGrant(settings.grant) || settings.grant === "device-code") return skipped("this grant needs no port");
  const outcomes = await Promise.all(
    settings.listenAddresses.map(async (address) => {
      const bound = await attempt(() =>
        world.callbacks.listen({
          addresses: [address],
          redirectUrl: settings.redirectUrl,
          certificateFile: settings.localServerCert,
          keyFile: settings.localServerKey,
          openAfter: undefined,
          formPost: false,
          state: "doctor",
        }),
      );
      if (bound.kind === "value") await bound.value.finish(undefined);
      return { address: safeText(address, 80), fault: bound.kind === "fault" ? bound.error : undefined };
    }),
  );
  const taken = outcomes.flatMap(({ address, fault }) => (fault === undefined ? [] : [{ address, fault }]));
  const [first] = taken;
  const families = isLocalhost(settings.redirectUrl) ? ", and on ::1 where this computer has it" : "";
  if (first === undefined) return ok(`${outcomes.map(({ address }) => address).join(", ")}${families}`);
  const named = taken.map(({ address, fault }) => (fault.reason === undefined ? address : `${address} (${fault.reason})`)).join(", ");
  if (taken.length < outcomes.length) return warn(`taken: ${named}; a login uses the others`, holderOf(first.address, platform));
  return first.fault.code === "PORTS_IN_USE"
    ? failed("PORTS_IN_USE", `every callback port is taken: ${named}`, `${holderOf(first.address, platform)}; or register and use another: --listen-address=127.0.0.1:PORT`)
    : failed(first.fault.code, first.fault.message, first.fault.hint);
}

/** A redirect URL with `localhost` needs both: a browser takes either (RFC 8252, section 8.3). */
const isLocalhost = (redirectUrl: string | undefined) => redirectUrl === undefined || new URL(redirectUrl).hostname === "localhost";

/** The command that shows who has the port. */
function holderOf(address: string, platform: string): string {
  const port = /\d+$/.exec(address)?.[0] ?? "";
  const command = platform === "win32" ? `netstat -ano | findstr :${port}` : platform === "linux" ? `ss -ltnp sport = :${port}` : `lsof -nP -iTCP:${port} -sTCP:LISTEN`;
  return `end the program that holds the port; to see which: ${command}`;
}

/** D-19. */
export async function checkBrowser({ world, settings }: Run): Promise<Outcome> {
  if (isMachineGrant(settings.grant) || settings.grant === "device-code") return skipped("this grant opens none");
  if (settings.skipOpenBrowser) return ok("not opened: the URL is shown (--skip-open-browser)");
  if (world.browser.available()) return ok(settings.browserCommand === undefined ? "found" : "the command that was given is used");
  const found = await attempt(async () => (await world.provider()).facts());
  const cure = "run: kubectl oidc login --grant-type=authcode-keyboard";
  if (found.kind === "fault") return warn("no browser can be reached from here, and the issuer does not say whether it offers device login (D-04)", cure);
  return found.value.supportsDevice
    ? warn("no browser can be reached from here; a login shows a device code", cure)
    : failed("BROWSER_UNAVAILABLE", "no browser can be reached from here, and the issuer offers no device login", cure);
}
