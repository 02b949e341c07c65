// What the templates of a channel are executed on.

/** What stands in a notice (monitor.Notice), by what it is about. */
export const known = [
  ['The message', '.Channel .Trigger .AfterMinutes .Total .Severity .From .To .URL .Test'],
  ['Counted: each has .Value and .Count', '.Severities .Titles .Hosts'],
  [
    'Each of .Alerts, the worst first',
    '.Title .Severity .Status .Host .User .Process .Source .Destination .Techniques .Tags .Matches .FirstSeen .LastSeen .CreatedAt .URL .ID',
  ],
] as const;
