// Words of the page: English in the source, translated by the catalog that the server puts into the page.
import { frame } from "./frame.ts";

export function gettext(text: string, values: Record<string, string | number> = {}): string {
  const found = frame().texts[text];
  const words = Array.isArray(found) ? (found[0] ?? text) : (found ?? text);
  return words.replace(/%\((\w+)\)s/g, (whole, name: string) => (name in values ? String(values[name]) : whole));
}

/** The catalog holds [singular, plural …] under the singular; languages with more forms are chosen by the browser's rules. */
export function ngettext(one: string, many: string, count: number): string {
  const found = frame().texts[one];
  const forms = Array.isArray(found) ? found : [found ?? one, many];
  const order = new Intl.PluralRules(document.documentElement.lang || "en").resolvedOptions().pluralCategories;
  const place = order.indexOf(new Intl.PluralRules(document.documentElement.lang || "en").select(count));
  return (forms[Math.min(Math.max(place, 0), forms.length - 1)] ?? many).replace("%(count)s", String(count));
}

/** "after_current" → "After current". */
export const plain = (name: string): string => {
  const words = gettext(name.replaceAll("_", " "));
  return words.charAt(0).toUpperCase() + words.slice(1);
};
