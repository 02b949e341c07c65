// What is connected: tokens, shippers, feeds.
import { getRouteApi } from '@tanstack/react-router';
import { Cable } from 'lucide-react';
import { useViewer } from '../../nouns/user/useViewer';
import { EmptyState } from '../../ui/States';
import { Tabs } from '../../ui/Tabs';
import { Consumers } from './Consumers';
import { Shippers } from './Shippers';
import { Tokens } from './Tokens';

const route = getRouteApi('/shell/integrations');

export function IntegrationsPage() {
  const { section = 'tokens', shipper } = route.useSearch();
  const navigate = route.useNavigate();
  const { viewer, mayAdminister } = useViewer();
  const tabs = [
    { id: 'tokens' as const, label: 'API tokens' },
    { id: 'shippers' as const, label: 'Shippers' },
    // A link may lead to it: then it says for whom it is.
    ...(mayAdminister || section === 'consumers' ? [{ id: 'consumers' as const, label: 'Feed consumers' }] : []),
  ];
  return (
    <>
      <h1 className="sr-only">Integrations</h1>
      <Tabs
        label="Integrations"
        tabs={tabs}
        current={section}
        onChange={(next) => void navigate({ search: next === 'tokens' ? {} : { section: next } })}
      >
        <div className="mx-auto max-w-5xl">
          {section === 'tokens' && <Tokens />}
          {section === 'shippers' && (
            <Shippers chosen={shipper} onChoose={(next) => void navigate({ search: { section, shipper: next } })} />
          )}
          {section === 'consumers' && mayAdminister && <Consumers />}
          {section === 'consumers' && viewer && !mayAdminister && (
            <EmptyState icon={Cable} title="Feed consumers are for administrators">
              Your own feeds stand in the overview.
            </EmptyState>
          )}
        </div>
      </Tabs>
    </>
  );
}
