// Text that others have written, made safe to look at. A name may hold characters
// that nobody sees, or that turn the order of what is read around: with one,
// "gpj.exe" passes for a picture. They stand there by their numbers instead.

// C0 without tab and line breaks, DEL and C1, separators of lines, and what Unicode
// says has no look of its own, overrides of direction among it; selectors of the
// look of an emoji stay.
const unseen =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u2028\u2029]|(?![\ufe00-\ufe0f])\p{Default_Ignorable_Code_Point}/gu;

/** The text with what cannot be seen written out: "⟨U+202E⟩". For showing alone: copies, links and filters take the text as it is. */
export function legible(text: string): string {
  return text.replace(unseen, (c) => `⟨U+${(c.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}⟩`);
}
