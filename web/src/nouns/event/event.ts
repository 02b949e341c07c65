import type { EventClass, Outcome } from '../../gql/schema';

export const eventClasses: readonly EventClass[] = [
  'PROCESS_ACTIVITY',
  'FILE_ACTIVITY',
  'MODULE_ACTIVITY',
  'REGISTRY_ACTIVITY',
  'NETWORK_ACTIVITY',
  'HTTP_ACTIVITY',
  'DNS_ACTIVITY',
  'AUTHENTICATION',
  'ACCOUNT_CHANGE',
  'API_ACTIVITY',
  'SCRIPT_ACTIVITY',
  'DETECTION_FINDING',
  'BASE_EVENT',
];

export const classLabel: Record<EventClass, string> = {
  BASE_EVENT: 'Other',
  PROCESS_ACTIVITY: 'Process',
  FILE_ACTIVITY: 'File',
  MODULE_ACTIVITY: 'Module',
  REGISTRY_ACTIVITY: 'Registry',
  NETWORK_ACTIVITY: 'Network',
  HTTP_ACTIVITY: 'HTTP',
  DNS_ACTIVITY: 'DNS',
  AUTHENTICATION: 'Sign-in',
  ACCOUNT_CHANGE: 'Account',
  API_ACTIVITY: 'API call',
  SCRIPT_ACTIVITY: 'Script',
  DETECTION_FINDING: 'Finding',
};

export const outcomeLabel: Record<Outcome, string> = { UNKNOWN: '', SUCCESS: 'Success', FAILURE: 'Failure' };
