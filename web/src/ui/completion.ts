// What can follow in a query line: names of fields, then the values of the one
// that was named.

export interface CompletionField {
  name: string;
  aliases: readonly string[];
  kind: string;
  values: readonly string[];
}

export interface Completion {
  /** What is put in place of the word. */
  insert: string;
  label: string;
  detail: string;
}

export interface Completions {
  /** Where the word that is replaced begins and ends. */
  from: number;
  to: number;
  choices: readonly Completion[];
}

const most = 8;

/** The choices for the word at the caret; none inside quotes. */
export function complete(text: string, caret: number, fields: readonly CompletionField[]): Completions {
  const before = text.slice(0, caret);
  const none = { from: caret, to: caret, choices: [] };
  if ((before.match(/(?<!\\)"/g)?.length ?? 0) % 2 === 1) return none;
  const word = /[^\s()]*$/.exec(before)?.[0] ?? '';
  const lead = /^-?/.exec(word)?.[0] ?? '';
  const bare = word.slice(lead.length);
  const from = caret - bare.length;
  const colon = bare.indexOf(':');
  if (colon < 0) {
    if (!bare) return none;
    const needle = bare.toLowerCase();
    const choices = fields
      .filter((f) => [f.name, ...f.aliases].some((name) => name.toLowerCase().startsWith(needle)))
      .slice(0, most)
      .map((f) => ({ insert: `${f.name}:`, label: f.name, detail: f.kind.toLowerCase() }));
    return { from, to: caret, choices };
  }
  const name = bare.slice(0, colon).toLowerCase();
  const field = fields.find((f) => [f.name, ...f.aliases].some((n) => n.toLowerCase() === name));
  const typed = (bare.slice(colon + 1).match(/[^,(<>=]*$/)?.[0] ?? '').toLowerCase();
  const choices = (field?.values ?? [])
    .filter((value) => value.toLowerCase().startsWith(typed) && value.toLowerCase() !== typed)
    .slice(0, most)
    .map((value) => ({ insert: `${value.toLowerCase()} `, label: value.toLowerCase(), detail: '' }));
  return { from: caret - typed.length, to: caret, choices };
}
