// Tells everybody that the viewer looks at an alert, for as long as it is open in
// a tab that is seen. Passing by with j and k tells nothing.
import { useApolloClient } from '@apollo/client/react';
import { useCallback, useEffect, useRef } from 'react';
import { AlertClaimEndDocument, AlertClaimTakeDocument } from './AlertClaim.generated';

const passingBy = 1_500;
/** A claim lasts two minutes, and can be renewed after one. */
const renewal = 75_000;

/**
 * `free`: whether nobody else has claimed it. Refusals are no error: the alert then
 * says who has it. Gives what to call after taking a claim over, so that it ends with
 * the panel too.
 */
export function useClaim(id: string, free: boolean): () => void {
  const client = useApolloClient();
  const held = useRef(false);
  useEffect(() => {
    if (!free) return;
    const claim = async () => {
      if (document.hidden) return;
      try {
        const { data } = await client.mutate({ mutation: AlertClaimTakeDocument, variables: { input: { id } } });
        held.current = data?.alertClaim.errors.length === 0;
      } catch {
        held.current = false; // the next time
      }
    };
    const soon = setTimeout(claim, passingBy);
    const again = setInterval(claim, renewal);
    return () => {
      clearTimeout(soon);
      clearInterval(again);
    };
  }, [client, id, free]);
  useEffect(
    () => () => {
      if (!held.current) return;
      held.current = false;
      client.mutate({ mutation: AlertClaimEndDocument, variables: { input: { id } } }).catch(() => undefined);
    },
    [client, id],
  );
  return useCallback(() => {
    held.current = true;
  }, []);
}
