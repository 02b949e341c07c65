// Configurations to copy, with this server's address in them.
import { firstEvent } from '../../nouns/event/FirstSteps';
import { Command } from '../../ui/Command';
import { Choice } from '../../ui/Field';

const shippers: readonly { id: string; name: string; where: string; text(origin: URL): string }[] = [
  { id: 'curl', name: 'curl', where: 'In a shell', text: () => firstEvent('$TOKEN') },
  {
    id: 'secmon',
    name: 'secmon ingest',
    where: 'In a shell',
    text: (origin) => `SECMON_TOKEN=$TOKEN secmon ingest --server ${origin.origin} events.ndjson`,
  },
  {
    id: 'agent',
    name: 'secmon agent',
    where: 'On a machine without a shipper: ports, connections, processes, new files, logins',
    text: (origin) => `SECMON_TOKEN=$TOKEN secmon agent --server ${origin.origin}`,
  },
  {
    id: 'fluentbit',
    name: 'Fluent Bit',
    where: 'fluent-bit.conf',
    text: (origin) => `[OUTPUT]
    Name            http
    Match           *
    Host            ${origin.hostname}
    Port            ${origin.port || (origin.protocol === 'https:' ? '443' : '80')}
    URI             /api/ingest
    Format          json_lines
    Header          Authorization Bearer \${SECMON_TOKEN}
    tls             ${origin.protocol === 'https:' ? 'on' : 'off'}
    Retry_Limit     no_limits`,
  },
  {
    id: 'vector',
    name: 'Vector',
    where: 'vector.yaml',
    text: (origin) => `sinks:
  secmon:
    type: http
    inputs: ["*"]
    uri: ${origin.origin}/api/ingest
    method: post
    encoding:
      codec: json
    framing:
      method: newline_delimited
    auth:
      strategy: bearer
      token: \${SECMON_TOKEN}`,
  },
  {
    id: 'rsyslog',
    name: 'rsyslog',
    where: '/etc/rsyslog.d/secmon.conf (package rsyslog-omhttp)',
    text: (origin) => `module(load="omhttp")
template(name="secmon" type="list" option.jsonf="on") {
    property(outname="timestamp" name="timereported" dateFormat="rfc3339" format="jsonf")
    property(outname="host" name="hostname" format="jsonf")
    property(outname="program" name="programname" format="jsonf")
    property(outname="message" name="msg" format="jsonf")
}
action(type="omhttp" server="${origin.hostname}" serverport="${origin.port || (origin.protocol === 'https:' ? '443' : '80')}"
    usehttps="${origin.protocol === 'https:' ? 'on' : 'off'}" restpath="api/ingest" template="secmon"
    batch="on" batch.format="newline" httpheaderkey="Authorization" httpheadervalue="Bearer TOKEN"
    retry="on")`,
  },
];

interface ShippersProps {
  /** Its id, as it stands in the URL. */
  chosen: string | undefined;
  onChoose(id: string): void;
}

export function Shippers({ chosen, onChoose }: ShippersProps) {
  const shipper = shippers.find((s) => s.id === chosen) ?? shippers[0];
  if (!shipper) return null;
  return (
    <div className="space-y-4">
      <p className="text-muted">
        Any shipper that posts JSON can send: NDJSON or an array to /api/ingest, with a token of the scope Ingest. An
        answer of 200 means stored; on 429 and 5xx a shipper sends again.
      </p>
      <div className="max-w-xs">
        <Choice
          label="Shipper"
          value={shipper.id}
          options={shippers.map((s) => [s.id, s.name] as const)}
          onChange={onChoose}
        />
      </div>
      <p className="text-xs text-muted">{shipper.where}</p>
      <Command text={shipper.text(new URL(location.origin))} />
    </div>
  );
}
