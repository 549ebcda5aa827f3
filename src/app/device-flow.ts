import type { DeviceAuthorization } from "../core/device-answer.ts";
import { rfc3339 } from "../core/exec-credential.ts";
import { fail, isOidcError } from "../errors/oidc-error.ts";
import type { DevicePoll, TokenAnswer } from "../ports.ts";
import { announcement, type FlowContext, hasOwnLines, whileWaiting } from "./flow-context.ts";
import { seconds } from "./world.ts";

/** Most seconds between two polls while the network is down (RFC 8628 3.5 wants the interval doubled). */
const slowestPoll = 60;

/**
 * Device authorization grant (RFC 8628). Code and URL are always shown, so that the person can compare the code; transient
 * network faults are survived until the code's end. DEVICE_CODE_EXPIRED, LOGIN_DENIED, LOGIN_TIMED_OUT and the provider's codes.
 */
export async function deviceFlow(context: FlowContext): Promise<TokenAnswer> {
  const { run, provider, request } = context;
  const device = await provider.startDevice({ scope: request.scope, extra: request.extra });
  context.opened();
  await show(context, device);
  const endsAt = Math.min(context.endsAt, run.world.clock.now() + device.expiresIn * 1000);
  const answer = await whileWaiting(context, "you to confirm the code", endsAt, () => poll(context, device));
  run.world.terminal.log(1, "device authorized");
  return answer;
}

async function show(context: FlowContext, device: DeviceAuthorization): Promise<void> {
  const { world, settings } = context.run;
  const complete = device.verificationUriComplete;
  context.events?.({
    event: "code",
    userCode: device.userCode,
    verificationUri: device.verificationUri,
    ...(complete === undefined ? {} : { verificationUriComplete: complete }),
    expiresAt: rfc3339(seconds(world) + device.expiresIn),
  });
  const { terminal, browser } = world;
  terminal.say(announcement(context));
  if (hasOwnLines(context)) for (const line of [`kubectl-oidc: open ${device.verificationUri} and enter the code`, "", `    ${device.userCode}`, ""]) terminal.say(line);
  else terminal.say(`kubectl-oidc: open ${device.verificationUri} and enter the code ${device.userCode}`);
  const compared = context.manners === "full" ? "the page shows the same code" : `it shows the code ${device.userCode}`;
  if (complete !== undefined) terminal.say(`kubectl-oidc: or open ${complete} and check that ${compared}`);
  for (const line of await qrLines(context, complete ?? device.verificationUri)) terminal.say(line);
  if (settings.skipOpenBrowser || !browser.available()) return;
  if (!(await browser.open(complete ?? device.verificationUri))) terminal.warn("no browser could be started; open the URL above by hand");
}

/** With `--qr`; by itself in `login` where no browser can be opened and the terminal is wide enough: the person has their phone in hand. */
async function qrLines(context: FlowContext, url: string): Promise<readonly string[]> {
  const { world, settings } = context.run;
  const unasked = context.manners === "full" && world.terminal.columns > 0 && !world.browser.available();
  if (!settings.qr && !unasked) return [];
  const lines = await world.qr(url);
  return settings.qr || lines.every((line) => line.length <= world.terminal.columns) ? lines : [];
}

async function poll(context: FlowContext, device: DeviceAuthorization): Promise<TokenAnswer> {
  const { world } = context.run;
  const expiresAt = world.clock.now() + device.expiresIn * 1000;
  let interval = device.interval;
  let faults = 0;
  let lastFault: string | undefined;
  let asked = 0;
  for (;;) {
    // Longer than our slowest when the issuer says so; the code's end comes first all the same.
    const wait = Math.max(asked, Math.min(slowestPoll, interval * 2 ** faults));
    await pause(context, Math.min(wait * 1000, Math.max(0, expiresAt - world.clock.now())));
    if (world.clock.now() >= expiresAt) fail("DEVICE_CODE_EXPIRED", lastFault === undefined ? {} : { reason: `the issuer could not be asked: ${lastFault}` });
    try {
      const polled = await world.undisturbed(() => pollAndKeep(context, device));
      faults = 0;
      lastFault = undefined;
      if (polled.kind === "tokens") return polled.answer;
      // RFC 8628 3.5: slow_down adds five seconds to this and all later intervals.
      if (polled.kind === "slow-down") interval += 5;
      asked = polled.kind === "later" ? polled.seconds : 0;
    } catch (error) {
      if (!isOidcError(error) || error.code !== "ISSUER_UNREACHABLE" || context.received()) throw error;
      asked = 0;
      faults = Math.min(faults + 1, 6);
      lastFault = error.reason ?? error.message;
      world.terminal.log(1, `the issuer could not be asked (${lastFault}); trying again`);
    }
  }
}

/** The poll that brings the tokens spends the code: they are stored before anything may end us. */
async function pollAndKeep(context: FlowContext, device: DeviceAuthorization): Promise<DevicePoll> {
  const polled = await context.provider.pollDevice(device, context.before, { resources: context.request.resources, dpopKey: context.binding?.key });
  if (polled.kind === "tokens") await context.keep(polled.answer);
  return polled;
}

async function pause(context: FlowContext, ms: number): Promise<void> {
  try {
    await context.run.world.clock.sleep(ms, context.signal);
  } catch (error) {
    throw context.timeoutOr(error);
  }
}
