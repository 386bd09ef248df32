import { createServer } from 'node:http'
import { type AddressInfo, Socket } from 'node:net'
import { Server } from 'socket.io'
import { io } from 'socket.io-client'
import { expect, test, vi } from 'vitest'
import { OneWriteAdapter } from './one-write-adapter.ts'

test('what goes to a room is one write for each viewer, however long it is', async () => {
  const http = createServer()
  const server = new Server(http, { transports: ['websocket'], perMessageDeflate: false, adapter: OneWriteAdapter })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`
  const clients = Array.from({ length: 3 }, () => io(url, { transports: ['websocket'] }))
  try {
    await Promise.all(clients.map((client) => new Promise<void>((resolve) => client.on('connect', resolve))))
    for (const text of ['ünïcode', 'x'.repeat(300), 'y'.repeat(70_000)]) {
      const heard = clients.map((client) => new Promise((resolve) => client.once('delta', resolve)))
      const write = vi.spyOn(Socket.prototype, 'write')
      server.emit('delta', { text })
      const frames = write.mock.calls.map(([chunk]) => chunk).filter((chunk) => String(chunk).includes('["delta"'))
      write.mockRestore()
      expect(frames).toHaveLength(clients.length)
      expect(new Set(frames).size).toBe(1)
      expect((frames[0] as Buffer)[0]).toBe(0x81)
      expect(await Promise.all(heard)).toEqual(clients.map(() => ({ text })))
    }
  } finally {
    for (const client of clients) client.disconnect()
    await server.close()
  }
})
