import type { AnswerBase } from '@nowcast/protocol'

/** An answer without what every answer has; the stage adds that. */
export type AnswerDraft<T extends AnswerBase> = Omit<T, keyof AnswerBase>
