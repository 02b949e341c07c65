// The pages of the product in the order of the navigation; titles, keys and the
// palette are made of this one table.
import {
  Activity,
  Antenna,
  Archive,
  Bell,
  BookOpen,
  Cable,
  Crosshair,
  EyeOff,
  Gauge,
  Grid3x3,
  type LucideIcon,
  Megaphone,
  Radio,
  ScrollText,
  Server,
  Settings,
  Siren,
  Webhook,
} from 'lucide-react';

export interface PageLink {
  to: string;
  label: string;
  icon: LucideIcon;
  /** The letter behind g. */
  key: string;
  /** Shows changes as they come, so that pausing makes sense. */
  live?: boolean;
  /** For administrators alone. */
  admin?: boolean;
}

export interface PageGroup {
  title: string;
  pages: readonly PageLink[];
}

export const groups: readonly PageGroup[] = [
  {
    title: 'Triage',
    pages: [
      { to: '/overview', label: 'Overview', icon: Gauge, key: 'o' },
      { to: '/alerts', label: 'Alerts', icon: Bell, key: 'a', live: true },
      { to: '/incidents', label: 'Incidents', icon: Siren, key: 'i' },
    ],
  },
  {
    title: 'Hunt',
    pages: [
      { to: '/events', label: 'Events', icon: Radio, key: 'e', live: true },
      { to: '/assets', label: 'Assets', icon: Server, key: 's' },
    ],
  },
  {
    title: 'Detect',
    pages: [
      { to: '/rules', label: 'Rules', icon: BookOpen, key: 'r' },
      { to: '/attack', label: 'ATT&CK', icon: Grid3x3, key: 't' },
      { to: '/suppressions', label: 'Suppressions', icon: EyeOff, key: 'u' },
      { to: '/indicators', label: 'Indicators', icon: Crosshair, key: 'd' },
    ],
  },
  {
    title: 'Manage',
    pages: [
      { to: '/integrations', label: 'Integrations', icon: Cable, key: 'n' },
      { to: '/sources', label: 'Sources', icon: Antenna, key: 'f' },
      { to: '/channels', label: 'Channels', icon: Megaphone, key: 'c' },
      { to: '/webhooks', label: 'Webhooks', icon: Webhook, key: 'w' },
      { to: '/health', label: 'Health', icon: Activity, key: 'h' },
      { to: '/audit', label: 'Audit log', icon: ScrollText, key: 'l', admin: true },
      { to: '/settings', label: 'Settings', icon: Settings, key: ',' },
    ],
  },
];

export const pages: readonly PageLink[] = groups.flatMap((group) => group.pages);

/** Parts of pages that the palette finds by name. */
export const parts: readonly (Omit<PageLink, 'key'> & { search: Record<string, string> })[] = [
  { to: '/settings', search: { section: 'retention' }, label: 'Retention and archive', icon: Archive, admin: true },
];

/** Pages that no navigation leads to. */
const titles: Record<string, string> = {
  '/entity': 'Entity',
  '/rules/new': 'New rule',
  '/sources/dead-letters': 'Dead letters',
  '/sources/mappings': 'Mappings',
  '/sources/mappings/new': 'New mapping',
};

/** What the page at an address is called. */
export function titleOf(path: string): string | undefined {
  return titles[path] ?? pageOf(path)?.label;
}

/** The page that an address belongs to: /incidents/abc to Incidents. */
export function pageOf(path: string): PageLink | undefined {
  return pages.find((page) => path === page.to || path.startsWith(`${page.to}/`));
}
