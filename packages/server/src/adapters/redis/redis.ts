/** What a server needs of Redis. */
export { createRedisHotStore } from './redis-hot-store.ts'
export { createRedisLiveBus } from './redis-live-bus.ts'
