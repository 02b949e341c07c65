// GraphiQL reads the editor a tenth of a second late: run sooner than that, an operation
// that has just been put there would go out under the former one's name, and as that kind
// of operation. What stands in the editor is what is sent.
import type { Fetcher } from '@graphiql/toolkit';
import { type DocumentNode, Kind, type OperationDefinitionNode, parse } from 'graphql';

export function asWritten(fetcher: Fetcher): Fetcher {
  return (params, options) => {
    const documentAST = parsed(params.query);
    if (!documentAST) return fetcher(params, options); // the server says what is wrong with it
    const names = documentAST.definitions
      .filter((d): d is OperationDefinitionNode => d.kind === Kind.OPERATION_DEFINITION)
      .map((operation) => operation.name?.value);
    const operationName = names.includes(params.operationName ?? undefined) ? params.operationName : names[0];
    return fetcher({ ...params, operationName }, { ...options, documentAST });
  };
}

function parsed(query: string): DocumentNode | null {
  try {
    return parse(query);
  } catch {
    return null;
  }
}
