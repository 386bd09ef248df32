import type { AnswerBase } from '@nowcast/protocol'

/** An answer without what every answer has; the stage adds that where the draft does not say it. */
export type AnswerDraft<T extends AnswerBase> = Omit<T, keyof AnswerBase> &
  Partial<Pick<AnswerBase, 'asOf' | 'approximate'>>
