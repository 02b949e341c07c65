// The kinds of channels: what they are called, what each has to know, and where its
// secret comes from.
import { BellRing, Braces, GitBranch, Hash, type LucideIcon, Mail, MessagesSquare, SquareKanban } from 'lucide-react';
import type { ChannelKind, ChannelSettingsInput } from '../../gql/schema';

export type FieldName = keyof ChannelSettingsInput;

/** A field of the settings, as one kind has it. */
export interface KindField {
  name: FieldName;
  label: string;
  hint?: string;
  placeholder?: string;
  required?: boolean;
}

export interface KindFacts {
  label: string;
  icon: LucideIcon;
  /** What comes of an alert there. */
  becomes: string;
  /** It stays there until somebody closes it, also when it was a test. */
  stays?: true;
  fields: readonly KindField[];
  secret: {
    label: string;
    /** Where it comes from. */
    hint: string;
    /** The field without which there is none; absent: there is always one. */
    with?: FieldName;
  };
}

const labels: KindField = {
  name: 'labels',
  label: 'Labels',
  hint: 'With spaces or commas between; put on each issue.',
};

export const kinds: Record<ChannelKind, KindFacts> = {
  SLACK: {
    label: 'Slack',
    icon: Hash,
    becomes: 'a message',
    fields: [],
    secret: {
      label: 'Address of the incoming webhook',
      hint: 'In Slack: your app at api.slack.com/apps, Incoming Webhooks, Add New Webhook. The address is the secret.',
    },
  },
  TEAMS: {
    label: 'Teams',
    icon: MessagesSquare,
    becomes: 'a message',
    fields: [],
    secret: {
      label: 'Address of the workflow',
      hint: 'In Teams: ⋯ of the channel, Workflows, “Send webhook alerts to a channel”, open to anyone. The address that it shows is the secret.',
    },
  },
  EMAIL: {
    label: 'E-mail',
    icon: Mail,
    becomes: 'a mail',
    fields: [
      { name: 'host', label: 'Mail server', placeholder: 'smtp.example.com', required: true },
      { name: 'security', label: 'Protected by', required: true },
      { name: 'port', label: 'Port', required: true },
      { name: 'username', label: 'User name', hint: 'Empty: nobody signs in.' },
      { name: 'from', label: 'From', placeholder: 'soc@example.com', required: true },
      { name: 'to', label: 'To', hint: 'With commas or line breaks between; at most 50.', required: true },
    ],
    secret: {
      label: 'Password',
      hint: 'Of the user name above at the mail server; many providers want an app password made for this alone.',
      with: 'username',
    },
  },
  PAGERDUTY: {
    label: 'PagerDuty',
    icon: BellRing,
    becomes: 'an incident',
    stays: true,
    fields: [
      {
        name: 'url',
        label: 'Events API',
        hint: 'Empty: the one of the US. For the EU: https://events.eu.pagerduty.com/v2/enqueue',
      },
    ],
    secret: {
      label: 'Integration key',
      hint: 'In PagerDuty: the service, Integrations, Add an integration, Events API V2.',
    },
  },
  JIRA: {
    label: 'Jira',
    icon: SquareKanban,
    becomes: 'an issue',
    stays: true,
    fields: [
      { name: 'url', label: 'Site', placeholder: 'https://example.atlassian.net', required: true },
      { name: 'project', label: "Project's key", placeholder: 'SEC', required: true },
      { name: 'issueType', label: 'Type of the issue', placeholder: 'Task', required: true },
      labels,
      { name: 'username', label: "Account's e-mail address", placeholder: 'bot@example.com', required: true },
    ],
    secret: {
      label: 'API token',
      hint: 'Of the account above: at id.atlassian.com, Security, Create and manage API tokens.',
    },
  },
  GITHUB: {
    label: 'GitHub',
    icon: GitBranch,
    becomes: 'an issue',
    stays: true,
    fields: [
      { name: 'repository', label: 'Repository', placeholder: 'owner/name', required: true },
      labels,
      {
        name: 'url',
        label: 'API',
        hint: 'Empty: https://api.github.com. Of a server of your own: https://HOST/api/v3',
      },
    ],
    secret: {
      label: 'Token',
      hint: 'In GitHub: Settings, Developer settings, Fine-grained tokens; for this repository, Issues: read and write.',
    },
  },
  GENERIC: {
    label: 'Any address',
    icon: Braces,
    becomes: 'JSON',
    fields: [
      {
        name: 'url',
        label: 'Address',
        placeholder: 'https://example.com/hook',
        hint: "By https. What is not public, the server's configuration has to allow.",
        required: true,
      },
      {
        name: 'header',
        label: 'Header',
        placeholder: 'Authorization',
        hint: 'Carries the secret; empty: there is none.',
      },
    ],
    secret: {
      label: 'Value of the header',
      hint: 'What the receiver asks for, such as Bearer and its token.',
      with: 'header',
    },
  },
};

export const kindNames = Object.keys(kinds) as ChannelKind[];
