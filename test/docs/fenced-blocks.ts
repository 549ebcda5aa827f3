import { readFileSync } from "node:fs";
import { resolve } from "node:path";

export interface Block {
  /** `bash`, `yaml`, `hcl` */
  readonly language: string;
  readonly text: string;
  /** From the marker `<!-- test: NAME -->` above the fence; undefined without one. */
  readonly name: string | undefined;
}

/** The fenced blocks of a page of docs/how-to that name a language, in their order. */
export function blocksOf(page: string): readonly Block[] {
  const text = readFileSync(resolve(import.meta.dirname, "../../docs/how-to", page), "utf8");
  return [...text.matchAll(/(?:^<!-- test: ([\w-]+) -->\n)?^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, name, language = "", body = ""]) => ({ name, language, text: body }));
}

/** The one block with this marker. */
export function blockOf(page: string, name: string): string {
  const found = blocksOf(page).filter((block) => block.name === name);
  if (found.length !== 1 || found[0] === undefined) throw new Error(`${page} has ${found.length} blocks marked ${name}`);
  return found[0].text;
}

/** The `exec` of a Terraform block: text and lists of texts only, as a page of ours writes them. */
export function execOf(hcl: string): { readonly body: string; readonly apiVersion: string; readonly command: string; readonly args: readonly string[] } {
  const [, body = ""] = /\bexec\s*=?\s*\{([\s\S]*?)\n\s*\}/.exec(hcl) ?? [];
  const text = (name: string) => new RegExp(`\\b${name}\\s*=\\s*"([^"]*)"`).exec(body)?.[1] ?? "";
  const [, list = ""] = /\bargs\s*=\s*\[([\s\S]*?)\]/.exec(body) ?? [];
  return { body, apiVersion: text("api_version"), command: text("command"), args: [...list.matchAll(/"([^"]*)"/g)].map((match) => match[1] ?? "") };
}
