import { describe, expect, it } from "vitest";
import { isTokenAnswer, plainTokenAnswer } from "../../src/core/token-answer.ts";

const whole = { access_token: "a", token_type: "Bearer", expires_in: 300, refresh_token: "r", id_token: "i", scope: "openid" };

describe("a token answer", () => {
  it.each<[object, boolean]>([
    [whole, true],
    [{ access_token: "a", token_type: "Bearer" }, true],
    [{ ...whole, expires_in: "300" }, true],
    [{ ...whole, expires_in: { toString: 1 } }, false],
    [{ ...whole, expires_in: -1 }, false],
    [{ ...whole, refresh_token: 5 }, false],
    [{ token_type: "Bearer" }, false],
    [[], false],
  ])("%j: %s", (answer, expected) => expect(isTokenAnswer(JSON.stringify(answer))).toBe(expected));

  it("loses the members that say nothing, and no other", () => {
    const plain = (answer: object) => JSON.parse(plainTokenAnswer(JSON.stringify(answer)));
    expect(plain({ ...whole, refresh_token: "", id_token: null, scope: null, expires_in: null, access_token: null, other: null })).toEqual({
      access_token: null,
      token_type: "Bearer",
      other: null,
    });
    for (const text of [JSON.stringify(whole), ` ${JSON.stringify(whole)}\n`, "<html>", "null", "[]", "{", `{"refresh_token":"","x":${"[".repeat(60_000)}${"]".repeat(60_000)}}`])
      expect(plainTokenAnswer(text)).toBe(text);
  });
});
