import { CommandError } from './command-error.ts'

/**
 * Asks the server that holds the data directory.
 * @throws CommandError that says what the server said
 */
export async function adminRequest(
  { url, adminKey }: { url: string; adminKey: string },
  path: string,
  body?: object,
): Promise<Response> {
  const answer = await fetch(`${url}/v1/admin/${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${adminKey}` },
    ...(body && { body: JSON.stringify(body) }),
  }).catch((error: Error) => {
    throw new CommandError(
      `the server at ${url} does not answer: ${(error.cause as Error | undefined)?.message ?? error.message}`,
    )
  })
  if (answer.ok) return answer
  const { error } = (await answer.json().catch(() => ({}))) as { error?: { message: string } }
  throw new CommandError(`the server at ${url} could not do it: ${error?.message ?? answer.statusText}`)
}
