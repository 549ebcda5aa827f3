import fc from "fast-check";
import { expect, it, vi } from "vitest";
import { tableText, writeData, writeJson } from "../../src/cli/output.ts";
import { harmIn, hostileText } from "../fakes/hostile-texts.ts";

const written = vi.hoisted((): string[] => []);
vi.mock("../../src/hot/write-out.ts", () => ({
  writeOut(bytes: Uint8Array, done: () => void) {
    written.push(Buffer.from(bytes).toString());
    done();
  },
}));

it("stdout gets no character that a terminal obeys, whatever a table, a text or a JSON value holds [TE-01]", async () => {
  await fc.assert(
    fc.asyncProperty(hostileText, hostileText, async (one, two) => {
      written.length = 0;
      await writeData(
        tableText([
          ["A", "B"],
          [one, two],
        ]),
      );
      await writeData(`${one}\n`);
      await writeJson({ [one]: two });
      expect(written.flatMap(harmIn)).toEqual([]);
      expect(JSON.parse(written[2] ?? "")).toEqual(JSON.parse(JSON.stringify({ [one]: two })));
      expect(written[2]?.indexOf("\n")).toBe((written[2]?.length ?? 0) - 1);
    }),
  );
});
