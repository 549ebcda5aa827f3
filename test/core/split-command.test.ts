import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { splitCommand } from "../../src/core/split-command.ts";

describe("a command as text", () => {
  it.each<[string, readonly string[] | undefined]>([
    ["firefox", ["firefox"]],
    ["  firefox \t --new-window\n", ["firefox", "--new-window"]],
    ["'/opt/my browser' -p \"a b\"", ["/opt/my browser", "-p", "a b"]],
    ["/opt/my\\ browser", ["/opt/my browser"]],
    ["--user-data-dir='/a b'/c\"d e\"", ["--user-data-dir=/a b/cd e"]],
    ['C:\\Program\\x.exe "a\\"b"', ["C:\\Program\\x.exe", 'a"b']],
    ['"C:\\Program Files\\x.exe" %s', ["C:\\Program Files\\x.exe", "%s"]],
    ["\\\\server\\share\\x.exe", ["\\\\server\\share\\x.exe"]],
    ["'it'\\''s'", ["it's"]],
    ["'\\'", ["\\"]],
    ["a\\", ["a\\"]],
    ["", []],
    [" \t ", []],
    ["''", [""]],
    ["a '' \"\"", ["a", "", ""]],
    ["a; rm -rf $HOME `x` | y && $(z) > f", ["a;", "rm", "-rf", "$HOME", "`x`", "|", "y", "&&", "$(z)", ">", "f"]],
    ["'open", undefined],
    ['a "b', undefined],
    ["a 'b\\'", ["a", "b\\"]],
  ])("%j is %j", (text, words) => expect(splitCommand(text)).toEqual(words));

  const word = fc.string({ unit: "binary", maxLength: 20 });
  it.each<[string, (word: string) => string]>([
    ["single", (text) => `'${text.replaceAll("'", "'\\''")}'`],
    ["double", (text) => `"${text.replace(/["\\]/g, "\\$&")}"`],
  ])("any words in %s quotes come back as they were", (_, quoted) => {
    fc.assert(
      fc.property(fc.array(word), (words) => {
        expect(splitCommand(words.map(quoted).join(" "))).toEqual(words);
      }),
    );
  });
});
