import { describe, expect, test } from 'vitest';
import { completeSigma, template } from './sigma';

const labels = (line: string, whole = template) => completeSigma(line, whole)?.choices.map((c) => c.label) ?? [];

describe('completion in a rule', () => {
  test('values of keys', () => {
    expect(labels('level: hi')).toContain('high');
    expect(completeSigma('level: hi', template)?.back).toBe(2);
    expect(labels('    product: ')).toContain('windows');
  });
  test('modifiers behind a field, one after another', () => {
    expect(labels('        CommandLine|con')).toContain('contains');
    expect(labels('        CommandLine|contains|')).toContain('all');
    expect(labels('        CommandLine|contains: a|')).toEqual([]);
  });
  test('fields of the log source', () => {
    const whole = template.replace('process_creation', 'dns_query').replace('Image|endswith', 'Que');
    expect(labels('        Que', whole)).toContain('QueryName');
    expect(labels('        Im')).toContain('ParentImage');
  });
  test('keys of the document', () => {
    expect(labels('fal')).toContain('falsepositives');
  });
  test('nothing in free text', () => {
    expect(labels('description: some text, ')).toEqual([]);
  });
});
