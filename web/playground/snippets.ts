// The operation of the editor as a program: with the token from the environment,
// never in the text.
import { type FieldNode, Kind, parse, valueFromASTUntyped } from 'graphql';
import type { Variables } from './cost';

export interface Snippet {
  name: string;
  text: string;
}

export interface SnippetInput {
  /** Of this server, for example https://monitor.example.com. */
  origin: string;
  query: string;
  variables: Variables;
  operation: 'query' | 'mutation' | 'subscription';
}

export function snippets(input: SnippetInput): Snippet[] {
  const live = input.operation === 'subscription';
  const all = [
    { name: 'curl', text: live ? curlStream(input) : curl(input) },
    { name: 'TypeScript', text: live ? typeScriptFeed(input) : typeScript(input) },
    { name: 'Go', text: live ? goFeed(input) : go(input) },
  ];
  const tail = live ? secmonTail(input) : null;
  return tail ? [...all, { name: 'secmon tail', text: tail }] : all;
}

const shell = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
const body = ({ query, variables }: SnippetInput, space?: number) => JSON.stringify({ query, variables }, null, space);

function curl(input: SnippetInput): string {
  return `curl -sS ${input.origin}/api/graphql \\
  -H "Authorization: Bearer $SECMON_TOKEN" -H 'Content-Type: application/json' \\
  --data-binary ${shell(body(input))}
`;
}

function curlStream(input: SnippetInput): string {
  return `# Each message has an id: send the last one as "Last-Event-ID: ..." to go on from there.
curl -sSN ${input.origin}/api/graphql \\
  -H "Authorization: Bearer $SECMON_TOKEN" -H 'Content-Type: application/json' -H 'Accept: text/event-stream' \\
  --data-binary ${shell(body(input))}
`;
}

function typeScript(input: SnippetInput): string {
  return `const response = await fetch('${input.origin}/api/graphql', {
  method: 'POST',
  headers: { authorization: \`Bearer \${process.env.SECMON_TOKEN}\`, 'content-type': 'application/json' },
  body: JSON.stringify({
    query: ${template(input.query)},
    variables: ${JSON.stringify(input.variables)},
  }),
});
const { data, errors } = await response.json();
if (errors) throw new Error(errors.map((e: { message: string }) => e.message).join('; '));
console.log(data);
`;
}

function typeScriptFeed(input: SnippetInput): string {
  return `// secmon-feed.ts has no dependencies: docs/feeds.md. Keep message.cursor when the message is dealt with.
import { follow } from './secmon-feed';

for await (const message of follow({
  url: '${input.origin}/api/graphql',
  token: () => process.env.SECMON_TOKEN ?? '',
  query: ${template(input.query)},
  variables: ${JSON.stringify(input.variables)},
})) {
  console.log(message.cursor, message.data);
}
`;
}

const template = (text: string) =>
  `\`${text.replaceAll('\\', '\\\\').replaceAll('`', '\\`').replaceAll('${', '\\${')}\``;
const goText = (text: string) => (text.includes('`') ? JSON.stringify(text) : `\`${text}\``);

function go(input: SnippetInput): string {
  return `package main

import (
	"io"
	"log"
	"net/http"
	"os"
	"strings"
)

const body = ${goText(body(input))}

func main() {
	request, err := http.NewRequest(http.MethodPost, "${input.origin}/api/graphql", strings.NewReader(body))
	if err != nil {
		log.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+os.Getenv("SECMON_TOKEN"))
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		log.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := io.Copy(os.Stdout, response.Body); err != nil {
		log.Fatal(err)
	}
}
`;
}

function goFeed(input: SnippetInput): string {
  return `package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"

	"github.com/security-monitor/secmon/client"
)

const variables = ${goText(JSON.stringify(input.variables))}

func main() {
	feed := &client.Feed{
		URL:   "${input.origin}/api/graphql",
		Token: func(context.Context) (string, error) { return os.Getenv("SECMON_TOKEN"), nil },
		Query: ${goText(input.query)},
	}
	if err := json.Unmarshal([]byte(variables), &feed.Variables); err != nil {
		log.Fatal(err)
	}
	log.Fatal(feed.Run(context.Background(), func(m client.Message) error {
		fmt.Println(m.Cursor, string(m.Data)) // keep the cursor when the message is dealt with
		return nil
	}))
}
`;
}

const feeds: Record<string, string> = {
  alertFeed: 'alerts',
  eventFeed: 'events',
  incidentFeed: 'incidents',
  journalFeed: 'journal',
  entityFeed: 'entity',
};

/** The command line's own follower, for the feeds that it knows. */
function secmonTail({ origin, query, variables }: SnippetInput): string | null {
  const field = rootField(query);
  const feed = field && feeds[field.name.value];
  if (!field || !feed) return null;
  const value = (name: string): unknown => {
    const argument = field.arguments?.find((a) => a.name.value === name);
    return argument && valueFromASTUntyped(argument.value, { ...variables });
  };
  const flags = [`--server=${origin}`];
  const filter = value('filter');
  if (filter) flags.push(`--filter=${shell(JSON.stringify(filter))}`);
  if (feed === 'entity')
    flags.push(`--kind=${String(value('kind'))}`, `--value=${shell(String(value('value') ?? ''))}`);
  return `# ${field.name.value}, resumed from the file when it is run again; the token is in $SECMON_TOKEN.
secmon tail ${feed} ${flags.join(' ')} --cursor-file=${feed}.cursor -o json
`;
}

function rootField(query: string): FieldNode | null {
  try {
    const operation = parse(query).definitions.find((d) => d.kind === Kind.OPERATION_DEFINITION);
    const field = operation?.kind === Kind.OPERATION_DEFINITION ? operation.selectionSet.selections[0] : undefined;
    return field?.kind === Kind.FIELD ? field : null;
  } catch {
    return null;
  }
}
