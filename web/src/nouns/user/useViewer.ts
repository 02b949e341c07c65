// Who is logged in, and what they may do.
import { useQuery } from '@apollo/client/react';
import { ViewerDocument, type ViewerQuery } from './Viewer.generated';

export interface Rights {
  viewer: ViewerQuery['viewer'] | null;
  mayWork: boolean;
  mayAdminister: boolean;
}

export function useViewer(): Rights {
  const { data } = useQuery(ViewerDocument, { fetchPolicy: 'cache-first' });
  const role = data?.viewer.role;
  return {
    viewer: data?.viewer ?? null,
    mayWork: role === 'ANALYST' || role === 'ADMIN',
    mayAdminister: role === 'ADMIN',
  };
}
