/** As much of `/v1/openapi.json` as tests read. */
export interface OpenapiDocument {
  paths: Record<string, Record<string, OpenapiOperation>>
  components: { schemas: { Error: { properties: { error: { properties: { code: { enum: string[] } } } } } } }
}

interface OpenapiOperation {
  security?: Record<string, unknown>[]
  requestBody?: { content: Record<string, { examples: Record<string, { value: unknown }> }> }
  responses: Record<string, { description: string; content?: Record<string, { schema: { required?: string[] } }> }>
}

export function operationsOf({ paths }: OpenapiDocument) {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  )
}
