/** A command cannot be carried out as given; the message says what to do. */
export class CommandError extends Error {
  override name = 'CommandError'
}
