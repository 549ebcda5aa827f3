import { getEventListeners } from "node:events";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { systemClock } from "../../src/adapters/clock.ts";
import { codeOfPromise } from "../fakes/codes.ts";

describe("the computer's clock", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("gives milliseconds since the epoch", () => {
    vi.setSystemTime("2026-03-04T05:06:07.008Z");
    expect(systemClock().now()).toBe(Date.parse("2026-03-04T05:06:07.008Z"));
  });

  it("sleeps as long as it is told, not less, and leaves no listener behind", async () => {
    const { signal } = new AbortController();
    const woken = vi.fn();
    const slept = systemClock().sleep(1_000, signal).then(woken);
    await vi.advanceTimersByTimeAsync(999);
    expect(woken).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    await slept;
    expect(woken).toHaveBeenCalledOnce();
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  it("wakes with INTERRUPTED when the signal comes, and holds no timer afterwards", async () => {
    const stop = new AbortController();
    const slept = codeOfPromise(systemClock().sleep(60_000, stop.signal));
    stop.abort();
    expect(await slept).toBe("INTERRUPTED");
    expect(vi.getTimerCount()).toBe(0);
    expect(getEventListeners(stop.signal, "abort")).toEqual([]);
  });

  it("does not fall asleep when the signal came before", async () => {
    expect(await codeOfPromise(systemClock().sleep(60_000, AbortSignal.abort()))).toBe("INTERRUPTED");
    expect(vi.getTimerCount()).toBe(0);
  });

  it("a wait beyond Node's timers is a long one, not none", async () => {
    const set = vi.spyOn(globalThis, "setTimeout");
    const stop = new AbortController();
    const slept = codeOfPromise(systemClock().sleep(1e12, stop.signal));
    expect(set).toHaveBeenCalledWith(expect.any(Function), 2_147_483_647);
    stop.abort();
    expect(await slept).toBe("INTERRUPTED");
  });
});
