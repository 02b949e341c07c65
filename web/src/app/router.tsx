// The pages and their addresses. Search parameters are plain text, so that a
// link can be read and written by hand.
import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from '@tanstack/react-router';
import { getSession } from '../api/session';
import { readSearch as readAlertSearch } from '../features/alerts/filters';
import { readSearch as readAssetSearch } from '../features/assets/filters';
import { readSearch as readAttackSearch } from '../features/attack/filters';
import { readSearch as readAuditSearch } from '../features/audit/filters';
import { readSearch as readChannelSearch } from '../features/channels/filters';
import { readSearch as readLetterSearch } from '../features/deadletters/filters';
import { readSearch as readEntitySearch } from '../features/entity/filters';
import { readSearch as readEventSearch } from '../features/events/filters';
import { readSearch as readIncidentSearch } from '../features/incidents/filters';
import { readTab as readIncidentTab } from '../features/incidents/tab';
import { readSearch as readIndicatorSearch } from '../features/indicators/filters';
import { readSearch as readIntegrationsSearch } from '../features/integrations/filters';
import { LoginPage, readLoginSearch } from '../features/login/LoginPage';
import { readSearch as readMappingSearch } from '../features/mappings/filters';
import { readSearch as readRuleSearch } from '../features/rules/filters';
import { readEditorSearch } from '../features/rules/versions';
import { readSearch as readSettingsSearch } from '../features/settings/filters';
import { Shell } from '../features/shell/Shell';
import { readSearch as readSourceSearch } from '../features/sources/filters';
import { readSearch as readSuppressionSearch } from '../features/suppressions/filters';
import { readSearch as readWebhookSearch } from '../features/webhooks/filters';
import { readRange } from '../nouns/time/range';
import { NotFound, PageError, PagePending } from './fallbacks';
import { only } from './search';

const rootRoute = createRootRoute({ component: Outlet, notFoundComponent: NotFound });

const loginRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/login',
  validateSearch: only(readLoginSearch),
  component: LoginPage,
});

const shellRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: 'shell',
  beforeLoad: ({ location }) => {
    if (!getSession()) throw redirect({ to: '/login', search: location.href === '/' ? {} : { to: location.href } });
  },
  component: Shell,
});

const indexRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/overview' });
  },
});

const overviewRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/overview',
  validateSearch: only(readRange),
  component: lazyRouteComponent(() => import('../features/overview/OverviewPage'), 'OverviewPage'),
});

const incidentsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/incidents',
  validateSearch: only(readIncidentSearch),
  component: lazyRouteComponent(() => import('../features/incidents/IncidentsPage'), 'IncidentsPage'),
});

const incidentRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/incidents/$id',
  validateSearch: only(readIncidentTab),
  component: lazyRouteComponent(() => import('../features/incidents/IncidentPage'), 'IncidentPage'),
});

const attackRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/attack',
  validateSearch: only(readAttackSearch),
  component: lazyRouteComponent(() => import('../features/attack/AttackPage'), 'AttackPage'),
});

const alertsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/alerts',
  validateSearch: only(readAlertSearch),
  component: lazyRouteComponent(() => import('../features/alerts/AlertsPage'), 'AlertsPage'),
});

const eventsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/events',
  validateSearch: only(readEventSearch),
  component: lazyRouteComponent(() => import('../features/events/EventsPage'), 'EventsPage'),
});

const rulesRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/rules',
  validateSearch: only(readRuleSearch),
  component: lazyRouteComponent(() => import('../features/rules/RulesPage'), 'RulesPage'),
});

const assetsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/assets',
  validateSearch: only(readAssetSearch),
  component: lazyRouteComponent(() => import('../features/assets/AssetsPage'), 'AssetsPage'),
});

const suppressionsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/suppressions',
  validateSearch: only(readSuppressionSearch),
  component: lazyRouteComponent(() => import('../features/suppressions/SuppressionsPage'), 'SuppressionsPage'),
});

const webhooksRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/webhooks',
  validateSearch: only(readWebhookSearch),
  component: lazyRouteComponent(() => import('../features/webhooks/WebhooksPage'), 'WebhooksPage'),
});

const sourcesRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/sources',
  validateSearch: only(readSourceSearch),
  component: lazyRouteComponent(() => import('../features/sources/SourcesPage'), 'SourcesPage'),
});

const deadLettersRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/sources/dead-letters',
  validateSearch: only(readLetterSearch),
  component: lazyRouteComponent(() => import('../features/deadletters/DeadLettersPage'), 'DeadLettersPage'),
});

const mappingsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/sources/mappings',
  component: lazyRouteComponent(() => import('../features/mappings/MappingsPage'), 'MappingsPage'),
});

const mappingNewRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/sources/mappings/new',
  validateSearch: only(readMappingSearch),
  component: lazyRouteComponent(() => import('../features/mappings/MappingEditorPage'), 'MappingEditorPage'),
});

const mappingRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/sources/mappings/$id',
  validateSearch: only(readMappingSearch),
  component: lazyRouteComponent(() => import('../features/mappings/MappingEditorPage'), 'MappingEditorPage'),
});

const channelsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/channels',
  validateSearch: only(readChannelSearch),
  component: lazyRouteComponent(() => import('../features/channels/ChannelsPage'), 'ChannelsPage'),
});
const indicatorsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/indicators',
  validateSearch: only(readIndicatorSearch),
  component: lazyRouteComponent(() => import('../features/indicators/IndicatorsPage'), 'IndicatorsPage'),
});

const entityRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/entity',
  validateSearch: only(readEntitySearch),
  component: lazyRouteComponent(() => import('../features/entity/EntityPage'), 'EntityPage'),
});

const integrationsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/integrations',
  validateSearch: only(readIntegrationsSearch),
  component: lazyRouteComponent(() => import('../features/integrations/IntegrationsPage'), 'IntegrationsPage'),
});

const settingsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/settings',
  validateSearch: only(readSettingsSearch),
  component: lazyRouteComponent(() => import('../features/settings/SettingsPage'), 'SettingsPage'),
});

const auditRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/audit',
  validateSearch: only(readAuditSearch),
  component: lazyRouteComponent(() => import('../features/audit/AuditPage'), 'AuditPage'),
});

const healthRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/health',
  component: lazyRouteComponent(() => import('../features/health/HealthPage'), 'HealthPage'),
});

const ruleNewRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/rules/new',
  component: lazyRouteComponent(() => import('../features/rules/RuleEditorPage'), 'RuleEditorPage'),
});

const ruleRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/rules/$id',
  validateSearch: only(readEditorSearch),
  component: lazyRouteComponent(() => import('../features/rules/RuleEditorPage'), 'RuleEditorPage'),
});

export const router = createRouter({
  routeTree: rootRoute.addChildren([
    loginRoute,
    shellRoute.addChildren([
      indexRoute,
      overviewRoute,
      alertsRoute,
      incidentsRoute,
      incidentRoute,
      eventsRoute,
      rulesRoute,
      ruleNewRoute,
      ruleRoute,
      attackRoute,
      assetsRoute,
      suppressionsRoute,
      webhooksRoute,
      sourcesRoute,
      deadLettersRoute,
      mappingsRoute,
      mappingNewRoute,
      mappingRoute,
      channelsRoute,
      indicatorsRoute,
      entityRoute,
      integrationsRoute,
      settingsRoute,
      auditRoute,
      healthRoute,
    ]),
  ]),
  parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
  stringifySearch,
  defaultErrorComponent: PageError,
  defaultPendingComponent: PagePending,
  defaultPreload: 'intent',
});

function stringifySearch(search: Record<string, unknown>): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(search)) {
    if (value !== undefined && value !== null && value !== '') parameters.set(name, String(value));
  }
  // Commas and slashes need no escape in a query, and are read more easily without.
  const text = parameters.toString().replaceAll('%2C', ',').replaceAll('%2F', '/');
  return text && `?${text}`;
}

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
