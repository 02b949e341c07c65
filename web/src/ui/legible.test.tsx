import { render, screen } from '@testing-library/react';
import { describe, expect, test } from 'vitest';
import { valueText } from '../nouns/journal/words';
import { Tree } from '../nouns/process/ProcessTree';
import { Yaml } from '../nouns/rule/Yaml';
import { BarList } from './BarList';
import { Card } from './Card';
import { Chip } from './Chip';
import { Command } from './Command';
import { Dialog } from './Dialog';
import { Facts } from './Facts';
import { Choice } from './Field';
import { Highlight } from './Highlight';
import { legible } from './legible';
import { Select } from './Select';

describe('legible', () => {
  test.each([
    ['rtl-\u202egnp.exe', 'rtl-⟨U+202E⟩gnp.exe', 'an override of direction'],
    ['\u2066a\u2069', '⟨U+2066⟩a⟨U+2069⟩', 'isolates'],
    ['ad\u200bmin', 'ad⟨U+200B⟩min', 'no width'],
    ['\ufeffroot', '⟨U+FEFF⟩root', 'a mark of byte order'],
    ['a\u001b[31m', 'a⟨U+001B⟩[31m', 'an escape of terminals'],
    ['x\u{e0041}', 'x⟨U+E0041⟩', 'a tag, beyond 16 bits'],
    ['a\tb\r\nc', 'a\tb\r\nc', 'tabs and line breaks stay'],
    ['Grüße 漢字 🙂 مرحبا', 'Grüße 漢字 🙂 مرحبا', 'other writing stays'],
  ])('%j is %s: %s', (text, want) => expect(legible(text)).toBe(want));
});

const name = 'rtl-\u202egnp.exe';
const seen = 'rtl-⟨U+202E⟩gnp.exe';

test.each([
  ['facts', <Facts key="f" rows={[['Host', name]]} />],
  ['bars', <BarList key="b" rows={[{ key: name, label: name, count: 1 }]} />],
  [
    'chips',
    <Chip key="c" on={false} onToggle={() => undefined}>
      {name}
    </Chip>,
  ],
  [
    'cards',
    <Card key="k" title={name}>
      a
    </Card>,
  ],
  [
    'dialogs',
    <Dialog key="d" title={name} onClose={() => undefined}>
      a
    </Dialog>,
  ],
  ['selections', <Select key="s" label="a" value="x" options={[['x', name]]} onChange={() => undefined} />],
  ['choices', <Choice key="o" label="a" value="x" options={[['x', name]]} onChange={() => undefined} />],
  ['commands', <Command key="m" text={name} />],
  ['sources of rules', <Yaml key="y" text={name} />],
  ['highlights', <Highlight key="h" text={name} needle="" />],
  [
    'processes',
    <Tree
      key="t"
      processes={[
        {
          key: 'p',
          parent: null,
          depth: 0,
          image: `C:\\${name}`,
          command: '',
          user: '',
          pid: 1,
          startedAt: null,
          focus: true,
        },
      ]}
    />,
  ],
])('%s show what cannot be seen', (_, shown) => {
  render(shown);
  expect(screen.getByText(seen)).toBeTruthy();
});

test('changes show what cannot be seen', () => {
  expect(valueText('title', name)).toBe(seen);
  expect(valueText('tags', [name])).toBe(seen);
});
