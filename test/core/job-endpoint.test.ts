import { describe, expect, it } from "vitest";
import { checkEndpoint } from "../../src/core/job-endpoint.ts";
import { codeOf } from "../fakes/codes.ts";

const asked = (url: string, allow: Readonly<Record<string, readonly string[]>> = {}) => codeOf(() => checkEndpoint({ ACTIONS_ID_TOKEN_REQUEST_URL: url }, allow));

describe("under strict, the ID token of a job of GitHub", () => {
  it("is asked for at GitHub's own endpoints, and at the origins that the file lists", () => {
    for (const host of ["run-actions-1-azure-eastus.actions.githubusercontent.com", "pipelinesghubeus6.actions.githubusercontent.com"])
      expect(asked(`https://${host}/8//idtoken/plan/job?api-version=2.0`)).toBe("none");
    const allow = { ACTIONS_ID_TOKEN_REQUEST_URL: ["https://git.example.com"] };
    expect(asked("https://git.example.com/_services/pipelines/x?y=1", allow)).toBe("none");
    expect(asked("https://git.example.com:8443/_services", allow)).toBe("SETTINGS_INVALID");
  });
  it.each([
    "https://evil.example.com/idtoken",
    "http://run.actions.githubusercontent.com/idtoken",
    "http://127.0.0.1:8000/idtoken",
    "https://actions.githubusercontent.com.evil.example/",
    "https://evil-actions.githubusercontent.com/",
  ])("is not asked for at %s, where the job's request token would go", (url) => expect(asked(url)).toBe("SETTINGS_INVALID"));
});
