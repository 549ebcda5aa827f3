import { parseKeychainAnswer, parseKeychainRequest } from "../../../src/adapters/keychain-protocol.ts";
import { readChunked } from "../../../src/adapters/keychain-chunks.ts";
import { methodCall, nextMessage } from "../../../src/adapters/dbus-message.ts";
import { secretServiceState } from "../../../src/adapters/secret-service-lock.ts";
import { readExecInfo } from "../../../src/core/exec-info.ts";
import { describeAuthority, differenceFrom, mayBeUsedWith } from "../../../src/core/server-trust.ts";
import { safeText } from "../../../src/core/untrusted-text.ts";
import { startSessionBus } from "../../fakes/session-bus.ts";
import { mustHold, type Target } from "../target.ts";

const value = "RFTQ-0123456789abcdefghij";

export const keychainFrames: Target = {
  name: "keychain",
  what: "a line between us and the keychain's program",
  kind: "json",
  secrets: [value],
  seeds: [
    { op: "write", service: "kubectl-oidc", account: "i", value, mayPrompt: false, deadlineMs: 4500 },
    { op: "read", service: "s", account: "a", mayPrompt: true, deadlineMs: 1 },
    { ok: true, value },
    { ok: false, fault: "locked", reason: "x" },
    { ok: false, fault: { toString: 1 } },
  ].map((one) => JSON.stringify(one)),
  start: () => ({
    async run(input, say) {
      const text = input.toString();
      const request = parseKeychainRequest(text);
      const answer = parseKeychainAnswer(text);
      if (answer?.ok === false) say(safeText(answer.reason));
      // An item that says how many chunks it has.
      await readChunked(
        { get: async (account) => (account === "i" ? text : account.length > 20 ? undefined : text), set: async () => undefined, delete: async () => undefined },
        "i",
      );
      return [request, answer];
    },
  }),
};

const call = {
  destination: "org.freedesktop.secrets",
  path: "/org/freedesktop/secrets",
  interface: "org.freedesktop.Secret.Service",
  member: "SearchItems",
  args: ["default", { a: "b" }],
};
/** An answer to the call with this serial: a method return with one object path. */
const answerBytes = (serial: number) =>
  Buffer.concat([
    Buffer.from([0x6c, 2, 0, 1, 13, 0, 0, 0, 9, 0, 0, 0, 15, 0, 0, 0, 5, 1, 0x75, 0, serial, 0, 0, 0, 8, 1, 0x67, 0, 1, 0x6f, 0, 0]),
    Buffer.from([8, 0, 0, 0]),
    Buffer.from("/default\0"),
  ]);

export const busMessages: Target = {
  name: "dbus",
  what: "bytes of a session bus",
  kind: "bytes",
  secrets: [],
  seeds: [
    answerBytes(2),
    Buffer.concat([answerBytes(2), answerBytes(3)]),
    methodCall(1, call),
    Buffer.from([0x42, 3, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]),
    Buffer.from("420300010000000000000001ba000000", "hex"),
  ],
  start: () => ({
    run(input) {
      let rest: Buffer = input;
      try {
        for (let message = nextMessage(rest); message !== undefined; message = nextMessage(rest)) {
          mustHold(message.size > 0 && message.size <= rest.length, `a message of ${message.size} bytes out of ${rest.length}`);
          rest = rest.subarray(message.size);
          message.body.texts();
          message.body.signature();
          message.body.uint32();
        }
      } catch (error) {
        // What the connection takes for "cannot be read".
        if (!(error instanceof RangeError)) throw error;
      }
    },
  }),
};

export const busConversations: Target = {
  name: "bus",
  what: "a session bus that answers our questions",
  kind: "bytes",
  secrets: [],
  seeds: [answerBytes(2), Buffer.from("ERROR\r\n"), Buffer.alloc(16)],
  start: () => ({
    async run(input, say) {
      const bus = await startSessionBus([{ raw: input }]);
      try {
        const found = await secretServiceState({ DBUS_SESSION_BUS_ADDRESS: bus.address }, { service: "kubectl-oidc", username: "i" });
        if (found.state !== "unlocked") say(safeText(found.reason));
        mustHold(found.state !== "unlocked", "it says unlocked, which one answer cannot say");
      } finally {
        await bus.stop();
      }
    },
  }),
};

const cluster = {
  server: "https://k8s.example.com:6443",
  "certificate-authority-data": "LS0t",
  "tls-server-name": "k8s",
  "proxy-url": "http://u:proxy-password-0123@p:1",
  config: { account: "ann" },
};

export const execInfos: Target = {
  name: "execinfo",
  what: "KUBERNETES_EXEC_INFO",
  kind: "json",
  secrets: ["proxy-password-0123"],
  seeds: [
    { apiVersion: "client.authentication.k8s.io/v1", kind: "ExecCredential", spec: { cluster, interactive: true } },
    { apiVersion: "client.authentication.k8s.io/v1beta1", kind: "ExecCredential", spec: { cluster: { server: "https://k8s", "insecure-skip-tls-verify": true, config: null } } },
    { apiVersion: "client.authentication.k8s.io/v1", spec: {} },
  ].map((one) => JSON.stringify(one)),
  start: () => ({
    run(input, say) {
      const info = readExecInfo(input.toString());
      const { server } = info;
      if (server === undefined) return info;
      say(`${safeText(server.origin, 120)} ${describeAuthority(server)}`);
      mustHold(!mayBeUsedWith([{ origin: "https://real.example.com", authority: "system" }], server) || server.origin === "https://real.example.com", "another server is trusted");
      differenceFrom([server], server);
      mustHold(server.proxy === undefined || !server.proxy.includes("@"), "a server's identity tells the proxy's user info");
      return info;
    },
  }),
};
