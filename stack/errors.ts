/** What keeps the stack from running and the reader can change; its message needs no stack trace. */
export class StackError extends Error {
  override readonly name = 'StackError'
}

/** Hands one line to whoever watches. */
export type Report = (line: string) => void
