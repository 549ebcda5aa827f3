const marks = (name) => [`<!-- figures: ${name} (npm run docs) -->`, "<!-- /figures -->"];

/** The page with what stands between the marks of each section replaced. Throws for a section that the page does not have, or has twice. */
export function withSections(page, sections) {
  return Object.entries(sections).reduce((text, [name, lines]) => {
    const [from, to] = marks(name);
    const [before, rest, ...more] = text.split(from);
    const end = rest?.indexOf(to) ?? -1;
    if (end === -1 || more.length > 0) throw new Error(`the page needs the section ${from} … ${to} once`);
    return `${before}${from}\n\n${lines.join("\n")}\n\n${rest.slice(end)}`;
  }, page);
}
