import { knownCodeOf } from './failure.js'

/**
 * What failed in a database that could be reached, and with what: a SQLSTATE or the system's code, and where there is
 * none the text of the error. That of Postgres may hold values, and it is left out.
 */
export class SetupError extends Error {
  override get name(): string {
    return 'SetupError'
  }
  readonly code: string | undefined

  constructor(what: string, cause: unknown) {
    const code = knownCodeOf(cause)
    super(`${what} failed with ${code ?? textOf(cause)}`, { cause })
    this.code = code
  }
}

function textOf(error: unknown): string {
  return JSON.stringify(error instanceof Error ? error.message : String(error))
}
