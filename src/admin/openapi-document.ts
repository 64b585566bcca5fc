import { readFile } from 'node:fs/promises';

export interface OpenapiDocumentOptions {
  /** Where the generated document is. */
  readonly path: string;
  /** Where callers reach the API over HTTP. */
  readonly apiUrl: string;
  readonly maxTextChars: number;
  readonly maxBatchInputs: number;
}

/** What is changed in the generated document: the server, and the limits that a setting holds. */
interface Document {
  servers: { url: string }[];
  components: {
    schemas: {
      Text: { maxLength: number };
      [batch: `verdict.v1.${string}`]: { properties: { inputs: { maxItems: number } } };
    };
  };
}

const batchSchemas = ['verdict.v1.BatchClassifyRequest', 'verdict.v1.ModelBatchClassifyRequest'] as const;

/**
 * The OpenAPI document as it holds for this server, whose settings may differ from the default ones that the generated
 * document states.
 */
export async function openapiDocument(options: OpenapiDocumentOptions): Promise<string> {
  const document: Document = JSON.parse(await readFile(options.path, 'utf8'));
  document.servers = [{ url: options.apiUrl }];
  const { schemas } = document.components;
  schemas.Text.maxLength = options.maxTextChars;
  for (const name of batchSchemas) {
    const schema = schemas[name];
    if (schema !== undefined) schema.properties.inputs.maxItems = options.maxBatchInputs;
  }
  return JSON.stringify(document);
}
