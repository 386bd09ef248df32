/** The project a read token is for, as far as it can be read; the server alone checks the token. */
export function projectOf(token: string): string | undefined {
  try {
    const payload = token.split('.')[1]!.replace(/-/g, '+').replace(/_/g, '/')
    const bytes = Uint8Array.from(atob(payload), (letter) => letter.charCodeAt(0))
    const { project } = JSON.parse(new TextDecoder().decode(bytes)) as { project?: unknown }
    return typeof project === 'string' ? project : undefined
  } catch {
    return undefined
  }
}
