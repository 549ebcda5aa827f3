import { describe, expect, it } from "vitest";
import { formsOf } from "./html-forms.ts";

describe("the forms of other people's login pages", () => {
  it("a button that only a script would use is no way to send a form", () => {
    const [form] = formsOf('<form action="/a" method="post"><input name="username"><button type="button">Show password</button><button name="login">Sign in</button></form>');
    expect(form?.buttons.map(({ label }) => label)).toEqual(["Sign in"]);
  });

  it("an input of the type submit is a button, and not sent unless it is pressed", () => {
    const [form] = formsOf('<form action="/a" method="post"><input type="hidden" name="code" value="c"><input type="submit" name="accept" value="Yes"></form>');
    expect([...(form?.fields.keys() ?? [])]).toEqual(["code"]);
    expect(form?.buttons).toEqual([{ label: "Yes", name: "accept", value: "Yes" }]);
  });
});
