import { createServer } from 'node:http'
import { gunzipSync } from 'node:zlib'

/*
 * A local server for SDKs to send to: takes every batch, answers at once, and looks into the bodies only when it is
 * asked, so that it costs the clients nothing. Answers `{ open }` with its port, `{ down }` by refusing connections from
 * then on, `{ take }` with what has arrived since the last time.
 */

let bodies = []
const server = createServer(async (request, response) => {
  const chunks = []
  for await (const chunk of request) chunks.push(chunk)
  bodies.push({ body: Buffer.concat(chunks), isGzip: request.headers['content-encoding'] === 'gzip' })
  const isSegment = request.url.startsWith('/v1/batch')
  response.writeHead(isSegment ? 200 : 202, { 'content-type': 'application/json' })
  response.end(isSegment ? '{"success":true}' : '{"accepted":1,"rejected":[]}')
})

function take() {
  let events = 0
  let bytes = 0
  for (const { body, isGzip } of bodies) {
    bytes += body.length
    const { events: native, batch } = JSON.parse(isGzip ? gunzipSync(body) : body)
    events += (native ?? batch).length
  }
  const requests = bodies.length
  bodies = []
  return { events, requests, bytes }
}

process.on('message', ({ open, down }) => {
  if (open) server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }))
  else if (down) {
    server.closeAllConnections()
    server.close(() => process.send({ isDown: true }))
  } else process.send(take())
})
process.on('disconnect', () => process.exit())
