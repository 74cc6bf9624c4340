/** The OpenAPI 3.1 document, made from the schemas of the routes. A copy is committed and compared: docs/reference/openapi.json. */
import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger'
import { createJsonSchemaTransform, createJsonSchemaTransformObject } from 'fastify-type-provider-zod'
import { registry } from './schemas.ts'

const toDocument = createJsonSchemaTransformObject({ schemaRegistry: registry })

export const openApiOptions: FastifyDynamicSwaggerOptions = {
  openapi: {
    openapi: '3.1.0',
    info: {
      title: 'Tonewall',
      version: '1',
      description: 'Secure telephone payments. No card data passes this API. Error codes: docs/reference/errors.md.',
    },
    components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
    security: [{ bearer: [] }],
  },
  transform: createJsonSchemaTransform({ schemaRegistry: registry }),
  transformObject: (parts) => withoutUnused(toDocument(parts)),
}

/** The generator writes every named schema twice, for what is sent and for what is answered; only those referred to stay. */
function withoutUnused<D extends object>(document: D): D {
  const { components } = document as { components?: { schemas?: Record<string, unknown> } }
  const schemas = components?.schemas ?? {}
  const text = JSON.stringify(document)
  const used = Object.entries(schemas).filter(([name]) => text.includes(`"#/components/schemas/${name}"`))
  const next = { ...document, components: { ...components, schemas: Object.fromEntries(used) } }
  // A schema may be referred to only by another unused one: so it is repeated until nothing falls out.
  return used.length === Object.keys(schemas).length ? next : withoutUnused(next)
}
