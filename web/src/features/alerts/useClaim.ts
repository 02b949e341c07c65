// Tells everybody that the viewer looks at an alert, for as long as it is open in
// a tab that is seen. Passing by with j and k tells nothing.
import type { ApolloClient } from '@apollo/client';
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
  const look = useRef({ over: false });
  // biome-ignore lint/correctness/useExhaustiveDependencies: another alert is another look
  useEffect(() => {
    const begun = { over: false };
    look.current = begun;
    return () => {
      begun.over = true;
    };
  }, [id]);
  useEffect(() => {
    if (!free) return;
    const claim = async () => {
      if (document.hidden) return;
      const begun = look.current;
      try {
        const { data } = await client.mutate({ mutation: AlertClaimTakeDocument, variables: { input: { id } } });
        const taken = data?.alertClaim.errors.length === 0;
        if (!begun.over) held.current = taken;
        // The panel was closed while the claim was on its way.
        else if (taken) end(client, id);
      } catch {
        if (!begun.over) held.current = false; // the next time
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
      end(client, id);
    },
    [client, id],
  );
  return useCallback(() => {
    if (look.current.over) end(client, id);
    else held.current = true;
  }, [client, id]);
}

function end(client: ApolloClient, id: string): void {
  client.mutate({ mutation: AlertClaimEndDocument, variables: { input: { id } } }).catch(() => undefined);
}
