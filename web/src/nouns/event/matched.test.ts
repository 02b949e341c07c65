import { describe, expect, test } from 'vitest';
import { markMatched } from './matched';

const show = (value: string, pattern: string) =>
  markMatched(value, pattern)
    .map((p) => (p.hit ? `[${p.text}]` : p.text))
    .join('');

describe('markMatched', () => {
  test.each([
    ['powershell.exe -Enc SQBFAFgA', '* -enc *', 'powershell.exe[ -Enc ]SQBFAFgA', 'case does not matter'],
    ['C:\\Windows\\cmd.exe', '*\\cmd.exe', 'C:\\Windows[\\cmd.exe]', 'a backslash is a backslash'],
    ['a-b-c', '*a*c', '[a]-b-[c]', 'each word between wildcards is marked'],
    ['AttachUserPolicy', '^(Attach|Put)(User|Role)Policy$', '[AttachUserPolicy]', 'a regular expression'],
    ['1119', '1119', '[1119]', 'an equal value'],
    ['4444', '>= 1024', '[4444]', 'a comparison marks the whole'],
    ['x', '*', '[x]', 'only wildcards mark the whole'],
    ['x(', '(', 'x[(]', 'a broken expression is read literally'],
  ])('%s by %s', (value, pattern, want, reason) => expect(show(value, pattern), reason).toBe(want));
});
