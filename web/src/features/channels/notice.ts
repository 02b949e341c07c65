// What the templates of a channel are executed on (notify/channel/fields.go).

export const known = [
  ['The message', '.Channel .Trigger .AfterMinutes .Total .More .Severity .From .To .URL .Test'],
  ['Counted: each has .Value and .Count', '.Severities .Titles .Hosts'],
  [
    'Each of .Alerts, the worst first',
    '.Title .Severity .Status .Host .User .Process .Source .Destination .Techniques .Tags .Matches .FirstSeen .LastSeen .CreatedAt .URL .ID',
  ],
  ['Functions', 'join upper lower truncate contains replace default time duration'],
] as const;
