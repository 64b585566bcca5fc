import { readFile } from 'node:fs/promises';

export interface OpenapiDocumentOptions {
  /** Where the generated document is. */
  readonly path: string;
  /** Where callers reach the API over HTTP. */
  readonly apiUrl: string;
  readonly maxTextChars: number;
  readonly maxBatchInputs: number;
}

/** The parts of the generated document that this server changes: the server, and the limits that are settings. */
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

/** The OpenAPI document for this server, whose settings may differ from the defaults in the generated document. */
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
