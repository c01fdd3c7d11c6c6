/** What sends its statements by itself, such as pg's cursors and streams. */
export interface Submittable {
  submit(connection: unknown): unknown
  handleError(error: Error, connection?: unknown): void
}

export function isSubmittable(given: unknown): given is Submittable {
  return typeof (given as { submit?: unknown } | null | undefined)?.submit === 'function'
}
