// What came back of a test.
import { CircleCheck } from 'lucide-react';
import { Banner } from '../../ui/Banner';
import { legible } from '../../ui/legible';
import { sentence } from '../../ui/useChange';
import { Answer, attemptText } from './Attempt';
import type { TestOutcomeFragment } from './Delivery.generated';

export function TestOutcome({ delivery }: { delivery: TestOutcomeFragment }) {
  const last = delivery.log.at(-1);
  const arrived = delivery.state === 'DELIVERED';
  return (
    <Banner tone={arrived ? 'info' : 'warn'} icon={arrived ? CircleCheck : undefined} className="basis-full rounded-md">
      <p>
        {arrived ? 'The test arrived' : 'The test did not arrive'}:{' '}
        {last ? legible(sentence(attemptText(last))) : 'No answer.'}
        {last && <span className="text-muted"> {last.took.toLocaleString('en')} ms</span>}
      </p>
      {last?.response && <Answer text={last.response} />}
    </Banner>
  );
}
