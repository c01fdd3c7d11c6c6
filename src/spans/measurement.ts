/** What one finished call cost: what a span says once its vocabulary is stripped. */
export interface Measurement {
  /** Whole nanoseconds, 0 or more. */
  readonly duration: number
  readonly failed: boolean
  /** How many arguments (resolvers) or bind parameters (queries) it had; null where the span does not say. */
  readonly argsCount: number | null
  readonly traceId: string | null
}
