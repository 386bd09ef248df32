import { WebSocket } from 'ws'

// Node has WebSockets of its own since version 22; browsers always had.
globalThis.WebSocket ??= WebSocket as unknown as typeof globalThis.WebSocket
