import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { normaliseArguments } from "../../src/cli/arguments.ts";
import { readCommandLine } from "../../src/cli/program.ts";
import { optionTable } from "../../src/core/flag-table.ts";
import { codeOf } from "../fakes/codes.ts";

const read = (...argv: string[]) => {
  const found = readCommandLine(argv);
  if (found.kind !== "command") throw new Error("help");
  return found;
};

describe("kubelogin's syntax (M1)", () => {
  it("booleans take =true|false, alone they are true, and the next word is not theirs", () => {
    expect(read("get-token", "--force-refresh").options["force-refresh"]).toEqual(["true"]);
    expect(read("get-token", "--force-refresh=false").options["force-refresh"]).toEqual(["false"]);
    expect(codeOf(() => read("get-token", "--force-refresh", "false"))).toBe("FLAG_INVALID");
  });
  it("values come after = or as the next argument, whatever they look like", () => {
    expect(read("get-token", "--account=ann", "--account", "--bob").options.account).toEqual(["ann", "--bob"]);
    expect(read("get-token", "--oidc-client-secret", "-x").options["oidc-client-secret"]).toEqual(["-x"]);
  });
  it.each([["-v1"], ["-v=1"], ["--v=1"], ["-v", "1"], ["--v", "1"]])("%s %s is verbosity 1", (...flags) =>
    expect(read("get-token", ...flags.filter((flag) => flag !== undefined)).verbosity).toBe(1),
  );
  it("a first argument oidc-login is skipped", () => expect(read("oidc-login", "get-token").command).toBe("get-token"));
  it("flags of klog and kubelogin that have no effect are accepted, with their values", () => {
    const { options } = read("get-token", "--logtostderr", "--log-dir", "/tmp", "--stderrthreshold=2", "--tls-renegotiation-freely", "--vmodule", "a=b", "--account=ann");
    expect(options).toEqual({ account: ["ann"] });
  });
  it("-o json in every spelling", () => {
    for (const flags of [["-o", "json"], ["-o=json"], ["-ojson"], ["--output", "json"], ["--output=json"]]) expect(read("status", ...flags).output).toBe("json");
  });
  it("--version is the command of that name", () => expect(read("--version", "-o", "json")).toMatchObject({ command: "version", output: "json" }));
  it("--no-offline-access is a name, not a negation", () => {
    expect(read("get-token").options["no-offline-access"]).toBeUndefined();
    expect(read("get-token", "--no-offline-access").options["no-offline-access"]).toEqual(["true"]);
  });
});

describe("a bad command line", () => {
  it.each([
    [["get-token", "--nonsense"], "FLAG_INVALID"],
    [["get-token", "--account"], "FLAG_INVALID"],
    [["get-token", "extra"], "FLAG_INVALID"],
    [["get-token", "-x"], "FLAG_INVALID"],
    [["get-token", "-o", "json"], "FLAG_INVALID"],
    [["status", "-o", "yaml"], "FLAG_INVALID"],
    [["get-token", "-vmany"], "FLAG_INVALID"],
    [["version", "--account=x"], "FLAG_INVALID"],
    [["nonsense"], "COMMAND_UNKNOWN"],
    [["whoami2", "--account=x"], "COMMAND_UNKNOWN"],
  ])("%j is %s", (argv, code) => expect(codeOf(() => readCommandLine(argv))).toBe(code));

  it("never quotes the value of a misspelt flag: it may be a secret", () => {
    expect(() => readCommandLine(["get-token", "--oidc-client-secrt=hunter2"])).toThrow(/^(?!.*hunter2)/);
    expect(() => readCommandLine(["get-token", "--oidc-client-secrt", "hunter2"])).toThrow(/^(?!.*hunter2)/);
  });
  it("suggests the option that was meant", () =>
    expect(() => readCommandLine(["login", "--issuer-url=x"])).toThrow(expect.objectContaining({ hint: "did you mean --oidc-issuer-url?" })));

  it("of any kind is read or refused by name", () => {
    const word = fc.oneof(fc.string(), fc.constantFrom(...optionTable.map((row) => `--${row.name}`), "-v", "-o", "--", "--context", "get-token", "oidc-login"));
    fc.assert(
      fc.property(fc.array(word, { maxLength: 6 }), (argv) => {
        expect(["none", "FLAG_INVALID", "COMMAND_UNKNOWN"]).toContain(codeOf(() => readCommandLine(argv)));
      }),
    );
  });
});

it("what is normal already stays as it is", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...optionTable.map((row) => `--${row.name}=x`))), (argv) => {
      expect(normaliseArguments(argv)).toEqual(argv);
    }),
  );
});

it("an argument that holds a name and a value in one word is not quoted beyond its name: the value may be a secret", () => {
  for (const word of ["--password p4ssw0rd-p4ssw0rd", "--oidc-clientsecret=p4ssw0rd-p4ssw0rd", "--nothing:p4ssw0rd-p4ssw0rd"]) {
    try {
      readCommandLine(["get-token", word]);
      expect.unreachable();
    } catch (error) {
      expect(String(error)).not.toContain("p4ssw0rd");
      expect(error).toMatchObject({ code: "FLAG_INVALID" });
    }
  }
});

it.each([
  [["lgoin"], "COMMAND_UNKNOWN", "did you mean: kubectl oidc login?"],
  [["statsu"], "COMMAND_UNKNOWN", "did you mean: kubectl oidc status?"],
  [["help", "lgoin"], "COMMAND_UNKNOWN", "did you mean: kubectl oidc help login?"],
  [["help", "enviroment"], "COMMAND_UNKNOWN", "did you mean: kubectl oidc help environment?"],
  [["help", "exit"], "COMMAND_UNKNOWN", "did you mean: kubectl oidc help exit-codes?"],
  [["environment"], "COMMAND_UNKNOWN", "run: kubectl oidc help environment"],
  [["help", "zzz"], "COMMAND_UNKNOWN", "run: kubectl oidc help"],
  [["login", "--issuer-url=x"], "FLAG_INVALID", "did you mean --oidc-issuer-url?"],
  [["login", "--oidc-isuer-url=x"], "FLAG_INVALID", "did you mean --oidc-issuer-url?"],
  [["login", "--contxt=x"], "FLAG_INVALID", "did you mean --context?"],
  [["login", "--acount=x"], "FLAG_INVALID", "did you mean --account?"],
] as const)("%j: what was meant is offered, never guessed", (argv, code, hint) => {
  try {
    readCommandLine([...argv]);
    expect.unreachable();
  } catch (error) {
    expect(error).toMatchObject({ code, hint });
  }
});
