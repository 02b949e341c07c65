// What can stand where in a Sigma rule: keys of the document, fields of a log
// source, modifiers behind a field.
// https://github.com/SigmaHQ/sigma-specification, version 2.1

export const topKeys = [
  'title',
  'id',
  'status',
  'description',
  'references',
  'author',
  'date',
  'modified',
  'tags',
  'logsource',
  'detection',
  'fields',
  'falsepositives',
  'level',
] as const;

export const modifiers: readonly (readonly [name: string, does: string])[] = [
  ['contains', 'anywhere in the value'],
  ['startswith', 'at the beginning'],
  ['endswith', 'at the end'],
  ['all', 'every one of the list'],
  ['re', 'a regular expression'],
  ['i', 'of re: upper and lower case alike'],
  ['cased', 'upper and lower case apart'],
  ['cidr', 'an address of a network'],
  ['exists', 'whether there is one'],
  ['windash', '-, / and dashes alike'],
  ['base64', 'encoded'],
  ['base64offset', 'encoded, at any offset'],
  ['wide', 'UTF-16 before base64'],
  ['utf16le', 'UTF-16LE before base64'],
  ['gt', 'greater than'],
  ['gte', 'at least'],
  ['lt', 'less than'],
  ['lte', 'at most'],
  ['fieldref', 'the value of another field'],
];

const windows = ['Image', 'OriginalFileName', 'CommandLine', 'CurrentDirectory', 'User', 'IntegrityLevel', 'Hashes'];
const fieldsOf: Record<string, readonly string[]> = {
  process_creation: [...windows, 'ParentImage', 'ParentCommandLine', 'ParentUser', 'Company', 'Description', 'Product'],
  network_connection: [
    'Image',
    'DestinationIp',
    'DestinationPort',
    'DestinationHostname',
    'SourceIp',
    'Initiated',
    'User',
  ],
  file_event: ['Image', 'TargetFilename', 'CreationUtcTime', 'User'],
  registry_set: ['Image', 'TargetObject', 'Details', 'EventType'],
  registry_event: ['Image', 'TargetObject', 'Details', 'EventType'],
  image_load: ['Image', 'ImageLoaded', 'Signed', 'SignatureStatus', 'Hashes'],
  dns_query: ['Image', 'QueryName', 'QueryResults', 'QueryStatus'],
  process_access: ['SourceImage', 'TargetImage', 'GrantedAccess', 'CallTrace'],
  ps_script: ['ScriptBlockText', 'Path'],
  webserver: ['cs-method', 'cs-uri-stem', 'cs-uri-query', 'cs-user-agent', 'sc-status', 'c-ip'],
  cloudtrail: ['eventSource', 'eventName', 'userIdentity.type', 'userIdentity.arn', 'errorCode', 'sourceIPAddress'],
  security: ['EventID', 'SubjectUserName', 'TargetUserName', 'LogonType', 'IpAddress', 'WorkstationName', 'Status'],
};

const values: Record<string, readonly string[]> = {
  level: ['informational', 'low', 'medium', 'high', 'critical'],
  status: ['stable', 'test', 'experimental', 'deprecated', 'unsupported'],
  product: ['windows', 'linux', 'macos', 'aws', 'azure', 'gcp', 'okta', 'kubernetes'],
  category: Object.keys(fieldsOf).filter((name) => !['cloudtrail', 'security'].includes(name)),
  service: ['security', 'sysmon', 'powershell', 'system', 'cloudtrail', 'auditd', 'sshd', 'syslog'],
  condition: ['1 of selection*', 'all of them', 'all of selection*', 'selection and not filter'],
};

export interface SigmaChoice {
  label: string;
  insert: string;
  detail?: string;
}

export interface SigmaCompletion {
  /** How many characters before the caret are replaced. */
  back: number;
  choices: readonly SigmaChoice[];
}

/** What can follow before the caret: the text of its line up to it, and the whole rule for its log source. */
export function completeSigma(line: string, whole: string): SigmaCompletion | null {
  const value = /^\s*-?\s*(\w+):\s+([\w ]*)$/.exec(line);
  const known = value?.[1] && values[value[1]];
  if (value && known) {
    return { back: (value[2] ?? '').length, choices: known.map((label) => ({ label, insert: label })) };
  }
  const modifier = /[\w.-]\|([a-z0-9]*)$/.exec(line);
  if (modifier && /^\s*-?\s*[\w.-]+(\|[a-z0-9]*)+$/.test(line)) {
    return {
      back: (modifier[1] ?? '').length,
      choices: modifiers.map(([label, detail]) => ({ label, insert: label, detail })),
    };
  }
  const key = /^(\s*)(?:-\s+)?([\w.-]*)$/.exec(line);
  if (!key || (!key[2] && !key[1])) return null;
  const back = (key[2] ?? '').length;
  const indent = (key[1] ?? '').length;
  if (indent === 0) return { back, choices: topKeys.map((label) => ({ label, insert: `${label}: ` })) };
  const section = sectionOf(whole, line);
  if (section === 'logsource') {
    return { back, choices: ['product', 'category', 'service'].map((label) => ({ label, insert: `${label}: ` })) };
  }
  if (section !== 'detection') return null;
  const names = [...new Set([...whole.matchAll(/^\s+(?:category|service):\s*(\w+)/gm)].map((m) => m[1] ?? ''))];
  const fields = [...new Set(names.flatMap((name) => fieldsOf[name] ?? []))];
  const all = fields.length > 0 ? fields : windows;
  return {
    back,
    choices: [...all.map((label) => ({ label, insert: label })), { label: 'condition', insert: 'condition: ' }],
  };
}

/** The top-level key that a line stands under: the last one before its first place in the text. */
function sectionOf(whole: string, line: string): string {
  let section = '';
  for (const each of whole.split('\n')) {
    const top = /^(\w+):/.exec(each);
    if (top?.[1]) section = top[1];
    if (each.startsWith(line) && line.trim() !== '') break;
  }
  return section;
}

export const template = `title: What it finds
status: experimental
description: What it finds, and how.
author: 
tags:
    - attack.execution
    - attack.t1059
logsource:
    product: windows
    category: process_creation
detection:
    selection:
        Image|endswith: '\\example.exe'
    condition: selection
falsepositives:
    - Unknown
level: medium
`;
