import { failed, fromError, type Outcome, ok, skipped, together, warn } from "../core/checks/outcome.ts";
import { isMachineGrant } from "../core/keys.ts";
import { safeText } from "../core/untrusted-text.ts";
import { attempt } from "./doctor-session.ts";
import type { Run } from "./world.ts";

/** D-16: a throw-away item is written, read and removed where the refresh token rests; what lies damaged beside it is named. */
export async function checkStore({ world, session }: Run): Promise<Outcome> {
  const outcomes: Outcome[] = [];
  const probed = await attempt(() => world.store.probe());
  if (probed.kind === "fault") outcomes.push(fromError(probed.error));
  if (!world.store.keeps) outcomes.push(warn("nothing is stored: every run is a login", "choose another --token-cache-storage than none"));
  const damaged = ["sessions", "refresh", "credentials"].flatMap((folder) =>
    world.files
      .list(folder)
      .filter((name) => name.endsWith(".corrupt"))
      .map((name) => `${folder}/${name}`),
  );
  if (damaged.length > 0)
    outcomes.push(
      warn(`damaged files were moved aside: ${damaged.map((name) => safeText(name, 80)).join(", ")}`, `look at them in ${safeText(world.files.folder, 200)}, then remove them`),
    );
  const { record } = session;
  return together(outcomes, `${safeText(world.store.describe(), 200)}${record?.hasRefreshToken === true ? ", which holds the refresh token" : ""}`);
}

/** D-18: each address is bound once, as a login would, and freed. */
export async function checkPorts({ world, settings }: Run): Promise<Outcome> {
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
  if (first === undefined) return ok(outcomes.map(({ address }) => address).join(", "));
  const named = taken.map(({ address, fault }) => (fault.reason === undefined ? address : `${address} (${fault.reason})`)).join(", ");
  if (taken.length < outcomes.length) return warn(`taken: ${named}; a login uses the others`, "end the program that holds the port");
  return failed(first.fault.code, first.fault.code === "PORTS_IN_USE" ? `every callback port is taken: ${named}` : first.fault.message, first.fault.hint);
}

/** D-19. */
export async function checkBrowser({ world, settings }: Run): Promise<Outcome> {
  if (isMachineGrant(settings.grant) || settings.grant === "device-code") return skipped("this grant opens none");
  if (settings.skipOpenBrowser) return ok("not opened: the URL is shown (--skip-open-browser)");
  if (world.browser.available()) return ok(settings.browserCommand === undefined ? "found" : "the command that was given is used");
  const found = await attempt(async () => (await world.provider()).facts());
  const cure = "run: kubectl oidc login --grant-type=authcode-keyboard";
  return found.kind === "value" && found.value.supportsDevice
    ? warn("no browser can be reached from here; a login shows a device code", cure)
    : failed("BROWSER_UNAVAILABLE", "no browser can be reached from here, and the issuer offers no device login", cure);
}
