// What the operation in the editor will cost, and what the last one did.
import { buildSchema, validate } from 'graphql';
import { useMemo, useSyncExternalStore } from 'react';
import sdl from '../../schema.graphqls?raw';
import { getBudget, subscribeBudget } from './budget';
import { costOf } from './cost';
import { useEdited } from './editor';

const schema = buildSchema(sdl);
const points = (n: number) => `${n.toLocaleString('en')} ${n === 1 ? 'point' : 'points'}`;

export function CostFooter() {
  const { document, operation, variables } = useEdited();
  const budget = useSyncExternalStore(subscribeBudget, getBudget);
  const cost = useMemo(() => {
    if (!document || !operation || !variables || validate(schema, document).length > 0) return null;
    return costOf(schema, document, operation, variables);
  }, [document, operation, variables]);
  return (
    <output className="cost" aria-label="Cost">
      {cost === null ? 'Cost: —' : `Costs ${points(cost)}${operation?.operation === 'subscription' ? ' once' : ''}`}
      {budget && (
        <span>
          The last one cost {points(budget.cost)}
          {budget.limit > 0 &&
            `; ${budget.remaining.toLocaleString('en')} of ${points(budget.limit)} a minute are left`}
        </span>
      )}
    </output>
  );
}
