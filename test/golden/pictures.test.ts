import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { pictureOf } from "./picture.ts";

// test/golden/terminal/NAME.txt is what the built program showed on a terminal (test/e2e/login-terminal.test.ts compares it);
// `npx vitest run test/golden -u` draws docs/pictures/NAME.svg anew from it.
const pictures = {
  "login-browser": "A login by browser",
  "login-device": "A login by device code",
  setup: "A context is set up",
  doctor: "What doctor finds",
};

describe("the pictures of the docs show what the program shows", () => {
  it.each(Object.entries(pictures))("%s", async (name, title) => {
    const text = readFileSync(resolve(import.meta.dirname, "terminal", `${name}.txt`), "utf8");
    await expect(pictureOf(title, text)).toMatchFileSnapshot(resolve(import.meta.dirname, "../../docs/pictures", `${name}.svg`));
  });

  it("are harmless: text without links, scripts and what comes from elsewhere", () => {
    const drawn = pictureOf("<a>", 'a <b> & "c"\n\n$ x');
    expect(drawn).toContain("a &lt;b&gt; &amp; &quot;c&quot;");
    expect(drawn.replace('xmlns="http://www.w3.org/2000/svg"', "")).not.toMatch(/href|http|<script|<a>|<b>/);
  });
});
