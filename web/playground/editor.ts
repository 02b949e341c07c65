// What stands in the editor, and how to put something else there.
import { useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { type DocumentNode, Kind, type OperationDefinitionNode } from 'graphql';
import type { Variables } from './cost';

export interface Edited {
  query: string;
  /** Null while it cannot be parsed. */
  document: DocumentNode | null;
  /** Which would run; null where there is none. */
  operation: OperationDefinitionNode | null;
  /** Null while they are no JSON object. */
  variables: Variables | null;
  variablesText: string;
}

export function useEdited(): Edited {
  const document = useGraphiQL((s) => s.documentAST) ?? null;
  const name = useGraphiQL((s) => s.operationName);
  const tab = useGraphiQL((s) => s.tabs[s.activeTabIndex]);
  const operations = document?.definitions.filter(
    (d): d is OperationDefinitionNode => d.kind === Kind.OPERATION_DEFINITION,
  );
  const variablesText = tab?.variables?.trim() ?? '';
  return {
    query: tab?.query ?? '',
    document,
    operation: operations?.find((o) => o.name?.value === name) ?? operations?.[0] ?? null,
    variables: readVariables(variablesText),
    variablesText,
  };
}

export function readVariables(text: string): Variables | null {
  if (!text) return {};
  try {
    const value: unknown = JSON.parse(text);
    return value && typeof value === 'object' && !Array.isArray(value) ? (value as Variables) : null;
  } catch {
    return null;
  }
}

/** Gives what opens an operation in a tab of its own. */
export function useOpen(): (query: string, variables?: string) => void {
  const { addTab } = useGraphiQLActions();
  const queryEditor = useGraphiQL((s) => s.queryEditor);
  const variableEditor = useGraphiQL((s) => s.variableEditor);
  return (query, variables = '') => {
    addTab();
    queryEditor?.setValue(query);
    variableEditor?.setValue(variables);
  };
}
