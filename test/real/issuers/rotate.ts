import { credentialOf } from "../../e2e/program.ts";
import type { Caller } from "./caller.ts";
import { until } from "./until.ts";

/** Refreshes until the refresh token is another: within `reuseInterval` of its birth Dex neither replaces it nor asks its connector. */
export async function rotate(caller: Caller): Promise<void> {
  const before = caller.refreshToken();
  await until(20, async () => {
    credentialOf(await caller.refresh());
    return caller.refreshToken() !== before;
  });
}
