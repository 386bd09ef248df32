import type { EventRejectionCode } from '@nowcast/protocol'
import type { ShapedContext, ShapedEvent } from '../event-schema.ts'

/** What a batch says of all its events. */
export interface Envelope {
  items: unknown[]
  /** The client's clock when it sent the batch, epoch ms. */
  sentAt: number | undefined
  context: ShapedContext | undefined
}

/** An item that cannot become an event, and why. */
export class RefusedItem {
  constructor(
    readonly code: EventRejectionCode,
    readonly message: string,
  ) {}
}

/** A way to write batches. */
export interface BatchFormat {
  /** The field of an item that holds its id. */
  idField: 'id' | 'messageId'
  /** See `Sender.isRelay`. */
  isRelay: boolean
  /** @throws NowcastError for what is wrong with the batch as a whole */
  open(body: unknown): Envelope
  /** An item as an event; undefined for one that is no event and is taken all the same. */
  read(item: unknown): ShapedEvent | RefusedItem | undefined
}
