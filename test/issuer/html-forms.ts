/** A form of a page, as much of it as a scripted person needs. */
export interface HtmlForm {
  readonly action: string;
  readonly method: "get" | "post";
  /** Name → value of every input as the page has it. */
  readonly fields: ReadonlyMap<string, string>;
  readonly buttons: readonly HtmlButton[];
}

export interface HtmlButton {
  readonly label: string;
  readonly name: string | undefined;
  readonly value: string;
}

const entities: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'", "#x27": "'", "#x2F": "/" };

/** Text with its entities resolved; the few that our pages and the library's use. */
export function plainText(html: string): string {
  return html.replace(/<[^>]*>/g, "").replace(/&([#\w]+);/g, (whole, name: string) => entities[name] ?? whole);
}

/** The page's title; empty when it has none. */
export function titleOf(html: string): string {
  return plainText(/<title>([\s\S]*?)<\/title>/i.exec(html)?.[1] ?? "").trim();
}

/** The forms of a page, each with the buttons inside it and those that name it with `form=`. */
export function formsOf(html: string): readonly HtmlForm[] {
  // `type="button"` sends nothing: a script would have to do so.
  const allButtons = [...html.matchAll(/<button\b([^>]*)>([\s\S]*?)<\/button>/gi)].filter(([, tag = ""]) => attributeOf(tag, "type") !== "button");
  return [...html.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/gi)].map(([, tag = "", inner = ""]) => {
    const id = attributeOf(tag, "id");
    const inputs = [...inner.matchAll(/<input\b([^>]*)>/gi)].map((match) => match[1] ?? "");
    const submits = inputs.filter((input) => attributeOf(input, "type") === "submit");
    const named = inputs.filter((input) => attributeOf(input, "name") !== undefined && !submits.includes(input));
    const own = allButtons.filter(([whole, buttonTag = ""]) => inner.includes(whole) || (id !== undefined && attributeOf(buttonTag, "form") === id));
    return {
      action: attributeOf(tag, "action") ?? "",
      method: attributeOf(tag, "method")?.toLowerCase() === "post" ? "post" : "get",
      fields: new Map(named.map((input) => [attributeOf(input, "name") ?? "", attributeOf(input, "value") ?? ""])),
      buttons: [
        ...own.map(([, buttonTag = "", label = ""]) => ({ label: plainText(label).trim(), name: attributeOf(buttonTag, "name"), value: attributeOf(buttonTag, "value") ?? "" })),
        ...submits.map((input) => ({ label: attributeOf(input, "value") ?? "", name: attributeOf(input, "name"), value: attributeOf(input, "value") ?? "" })),
      ],
    };
  });
}

function attributeOf(tag: string, name: string): string | undefined {
  const value = new RegExp(`(?:^|\\s)${name}\\s*=\\s*"([^"]*)"`, "i").exec(tag)?.[1];
  return value === undefined ? undefined : plainText(value);
}
