// From a value of an event to the events that have it too, or that have another:
// where a list offers that, each field has two buttons.

import { Minus, Plus } from 'lucide-react';
import { createContext, useContext } from 'react';
import { IconButton } from '../../ui/Button';
import { legible } from '../../ui/legible';

/** Adds a condition to the list's query line: the field's name there, its value, and whether to leave it out. */
export type Pivot = (name: string, value: string, not: boolean) => void;

export const PivotContext = createContext<Pivot | null>(null);

/** The two buttons; nothing where no list offers them, or without a value. */
export function PivotButtons({ name, value }: { name: string; value: string }) {
  const pivot = useContext(PivotContext);
  if (!pivot || !value) return null;
  const what = legible(`${name} ${value.length > 40 ? `${value.slice(0, 40)}…` : value}`);
  return (
    <span className="inline-flex shrink-0 opacity-0 group-focus-within:opacity-100 group-hover:opacity-100 pointer-coarse:opacity-100">
      <IconButton icon={Plus} label={`Only ${what}`} className="size-5" onClick={() => pivot(name, value, false)} />
      <IconButton icon={Minus} label={`Without ${what}`} className="size-5" onClick={() => pivot(name, value, true)} />
    </span>
  );
}
