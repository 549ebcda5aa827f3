import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const pages = [
  ...readdirSync(root).filter((name) => name.endsWith(".md")),
  ...readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => join("docs", name)),
];

const withoutCode = (text: string) => text.replace(/^```[\s\S]*?^```/gm, "").replace(/^ {4}.*$/gm, "");
/** GitHub's anchor of a heading. */
const anchorOf = (heading: string) =>
  heading
    .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .replaceAll(" ", "-");

/** Every anchor of a page: its headings, numbered where one comes again, and anchors that are written out. */
function anchorsOf(text: string): ReadonlySet<string> {
  const seen = new Map<string, number>();
  const anchors = new Set([...text.matchAll(/<a (?:id|name)="([^"]+)"/g)].map(([, name = ""]) => name));
  for (const [, heading = ""] of withoutCode(text).matchAll(/^#{1,6} (.+?)\s*#*$/gm)) {
    const anchor = anchorOf(heading);
    const count = seen.get(anchor) ?? 0;
    seen.set(anchor, count + 1);
    anchors.add(count === 0 ? anchor : `${anchor}-${count}`);
  }
  return anchors;
}

/** Why these links of a page lead nowhere. */
function broken(page: string, text: string): readonly string[] {
  const prose = withoutCode(text).replace(/`[^`\n]*`(?!\]\()/g, "");
  const inline = [...prose.matchAll(/\]\(<?([^)\s>]+)>?(?: "[^"]*")?\)/g)].map(([, target = ""]) => target);
  const references = [...prose.matchAll(/^\[[^\]]+\]: (\S+)/gm)].map(([, target = ""]) => target);
  return [...inline, ...references].flatMap((target) => {
    if (/^[a-z][a-z+.-]*:/i.test(target)) return [];
    const [path = "", anchor] = target.split("#");
    const file = path === "" ? join(root, page) : resolve(root, dirname(page), decodeURI(path));
    if (relative(root, file).startsWith("..")) return [`${target} leaves the repository`];
    if (!existsSync(file)) return [`${target}: there is no ${relative(root, file)}`];
    if (anchor === undefined) return [];
    if (statSync(file).isDirectory() || !anchorsOf(readFileSync(file, "utf8")).has(anchor)) return [`${target}: ${relative(root, file)} has no #${anchor}`];
    return [];
  });
}

describe("links", () => {
  it.each(pages)("of %s lead somewhere", (page) => expect(broken(page, readFileSync(join(root, page), "utf8"))).toEqual([]));

  it("that lead nowhere are found", () => {
    expect(
      broken("README.md", "[a](docs/none.md) [b](docs/reference/errors.md#none) [c](#none) [`d`](../x) [e](https://example.com)\n\n    [f](none.md)\n\n[g]: none.md\n"),
    ).toEqual([
      "docs/none.md: there is no docs/none.md",
      "docs/reference/errors.md#none: docs/reference/errors.md has no #none",
      "#none: README.md has no #none",
      "../x leaves the repository",
      "none.md: there is no none.md",
    ]);
    expect(broken("docs/reference/files.md", "[a](errors.md#login_required) [b](json.md#login--o-json-url) [c](../reference/)")).toEqual([]);
  });
});
