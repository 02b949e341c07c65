// First operations for a webhook, to begin with.
export interface FirstOperation {
  id: string;
  label: string;
  document: string;
  variables: string;
}

export const firstOperations: readonly [FirstOperation, ...FirstOperation[]] = [
  {
    id: 'alerts',
    label: 'Alerts',
    document: `subscription Alerts($filter: AlertFilter) {
  alertFeed(filter: $filter) {
    entries {
      change
      alert { id title severity status host user count lastSeen }
    }
  }
}`,
    variables: '{ "filter": { "query": "severity:>=high" } }',
  },
  {
    id: 'incidents',
    label: 'Incidents',
    document: `subscription Incidents($filter: IncidentFilter) {
  incidentFeed(filter: $filter) {
    entries {
      change
      incident { id title severity status }
    }
  }
}`,
    variables: '{}',
  },
  {
    id: 'events',
    label: 'Events',
    document: `subscription Events($filter: EventFilter) {
  eventFeed(filter: $filter) {
    events { id occurredAt action host user message }
  }
}`,
    variables: '{ "filter": { "query": "severity:>=high" } }',
  },
];

/** What is wrong with the text of variables; null: nothing. */
export function variablesProblem(text: string): string | null {
  try {
    const value: unknown = JSON.parse(text);
    return value !== null && typeof value === 'object' && !Array.isArray(value) ? null : 'A JSON object, such as {}.';
  } catch {
    return 'That is no JSON.';
  }
}
