// What the server's page gives: addresses, rights, words.
export type Frame = {
  urls: Record<string, string>;
  may_edit: boolean;
  name: string;
  id: number;
  texts: Record<string, string | string[]>;
};

let known: Frame | null = null;

export function frame(): Frame {
  known ??= JSON.parse(document.getElementById("builder-data")?.textContent ?? '{"urls":{},"texts":{}}') as Frame;
  return known;
}
