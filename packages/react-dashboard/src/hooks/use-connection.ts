import { useSyncExternalStore } from 'react'
import { CONNECTING, type ConnectionState } from '../client/create-connection.ts'
import { useNowcast } from './nowcast-context.ts'

/** The state of the live connection; using it keeps the connection open. */
export function useConnection(): ConnectionState {
  const { connection } = useNowcast().client
  return useSyncExternalStore(connection.subscribe, connection.getSnapshot, () => CONNECTING)
}
