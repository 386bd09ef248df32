import { ERROR_STATUS } from '@nowcast/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { knownProject, readTokenOf } from './servers/known-projects.ts'
import { type OpenapiDocument, operationsOf } from './servers/openapi.ts'
import { request } from './servers/requests.ts'
import { startServer, type TestServer } from './servers/start-server.ts'

const SHOP = knownProject('shop', {})

let server: TestServer
let document: OpenapiDocument
beforeAll(async () => {
  server = await startServer({ config: { projects: [SHOP] } })
  document = (await request<OpenapiDocument>(`${server.url}/v1/openapi.json`)).body
})
afterAll(() => server?.remove())

describe('the OpenAPI document', () => {
  it('every example is answered as it says', async () => {
    let sent = 0
    for (const { path, method, operation } of operationsOf(document)) {
      const success = Number(Object.keys(operation.responses).find((status) => status.startsWith('2')))
      const required = operation.responses[success]?.content?.['application/json']?.schema.required ?? []
      const key = operation.security?.some((scheme) => 'readToken' in scheme) ? readTokenOf(SHOP) : SHOP.secretKey
      const url = server.url + path.replace('{key}', SHOP.writeKey)
      const content = operation.requestBody?.content['application/json']
      const bodies = content ? Object.values(content.examples).map(({ value }) => JSON.stringify(value)) : [undefined]
      for (const body of bodies) {
        const headers = { authorization: `Bearer ${key}` }
        const answer = await request(url, { method: method.toUpperCase(), headers, body })
        expect([path, body, answer.status, answer.body.rejected ?? []]).toEqual([
          path,
          body,
          success,
          expect.anything(),
        ])
        expect(Object.keys(answer.body)).toEqual(expect.arrayContaining(required))
        sent++
      }
    }
    expect(sent).toBeGreaterThan(25)
  })
  it('names every path, and every code with the status that it has', () => {
    const paths = operationsOf(document).map(({ path }) => path)
    for (const path of ['/v1/events', '/v1/batch', '/v1/t', '/v1/query', '/v1/rejected']) expect(paths).toContain(path)
    const codes = document.components.schemas.Error.properties.error.properties.code.enum
    expect([...codes].sort()).toEqual(Object.keys(ERROR_STATUS).sort())
    for (const { path, operation } of operationsOf(document)) {
      for (const [status, { description }] of Object.entries(operation.responses)) {
        if (status.startsWith('2')) continue
        for (const code of description.split(', ') as (keyof typeof ERROR_STATUS)[]) {
          const isSegment = operation.security?.some((scheme) => 'segmentKey' in scheme)
          const own = isSegment && ERROR_STATUS[code] === 413 ? 400 : ERROR_STATUS[code]
          expect([path, code, Number(status)]).toEqual([path, code, own])
        }
      }
    }
  })
  it('says the limits that are checked', () => {
    const text = JSON.stringify(document)
    for (const limit of ['"maxItems":1000', '"maxLength":64', '"maxLength":2048', '"^[A-Z]{3}$"']) {
      expect(text).toContain(limit)
    }
  })
})
