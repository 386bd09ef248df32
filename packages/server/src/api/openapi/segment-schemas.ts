import { SEGMENT_TYPES } from '../../ingest/ingest.ts'

const id = { type: ['string', 'number', 'null'] }

/** A message of Segment's specification, as far as it is read; it may hold anything else. */
export const SEGMENT_MESSAGE = {
  type: 'object',
  properties: {
    type: { enum: SEGMENT_TYPES, description: 'In a batch; elsewhere the path says it.' },
    messageId: { type: 'string', description: 'The id of the event: a repeat counts once.' },
    userId: id,
    anonymousId: id,
    event: { type: 'string', description: 'Of track.' },
    name: { type: 'string', description: 'Of page and screen.' },
    timestamp: { type: ['string', 'number'], description: 'ISO 8601 or epoch ms.' },
    sentAt: { type: ['string', 'number'] },
    properties: { type: 'object' },
    context: { type: 'object' },
    traits: { type: 'object', description: 'Not kept.' },
    writeKey: { type: 'string' },
  },
}

export const SEGMENT_BATCH = {
  type: 'object',
  required: ['batch'],
  properties: {
    batch: { type: 'array', maxItems: 1000, items: SEGMENT_MESSAGE },
    sentAt: { type: ['string', 'number'] },
    context: { type: 'object' },
    writeKey: { type: 'string' },
  },
}
