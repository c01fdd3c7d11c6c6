/** Every error the package raises: code and what to do about it. A message says what was seen and what was expected. */
const table = {
  MPERF_CONFIG_INVALID: (problems: string) => problems,
  MPERF_MERCURIUS_MISSING: () =>
    'mercurius-performance was registered, but there is no app.graphql: register mercurius before it',
  MPERF_REGISTERED_TWICE: () =>
    'the app already has a decorator "performance", or its mercurius has the plugin: ' +
    'register mercurius-performance once, after mercurius',
  MPERF_SCHEMA_CONFLICT: (detail: string) =>
    `the schema cannot take the performance fields: ${detail}; rename that type or field in your schema`,
  MPERF_CREDENTIAL_MISSING: () =>
    'exposeMetrics is on in production, but nobody could be an administrator: set PERFORMANCE_ADMIN_TOKEN or authorize',
  MPERF_FORBIDDEN: () => 'administrators only: send the header "Authorization: Bearer <token>"',
  MPERF_ARGUMENT_INVALID: (problem: string) => problem,
  MPERF_HISTORY_OFF: (asked: string) =>
    `${asked} needs history, which is off: set PERFORMANCE_HISTORY=on, and PERFORMANCE_HISTORY_URL or DATABASE_URL`,
  MPERF_HISTORY_UNAVAILABLE: (problem: string) => `history cannot be read now: ${problem}`,
  MPERF_DATABASE_DEADLINE: (seen: string) =>
    `${seen}; try again later, allow it a longer deadline, or make the pool larger if callers wait for connections`,
  MPERF_OUTCOME_UNKNOWN: (seen: string) =>
    `${seen}, so it may have happened or not: look before you repeat it, or declare it idempotent if repeating does no harm`,
  MPERF_TRANSACTION_ROLLED_BACK: () =>
    'Postgres rolled the transaction back instead of committing it: a statement in it failed; let its error out of the callback',
  MPERF_TRANSACTION_OVER: () =>
    'the client of a transaction was used after the transaction had ended: await everything inside the callback'
} satisfies Record<string, (detail: string) => string>

export type ErrorCode = keyof typeof table

/** An error with a stable `code`; GraphQL servers show it to clients as `extensions.code`. */
export class PerformanceError extends Error {
  override get name(): string {
    return 'PerformanceError'
  }
  readonly code: ErrorCode
  readonly extensions: { readonly code: ErrorCode }

  constructor(code: ErrorCode, detail = '', options?: ErrorOptions) {
    super(table[code](detail), options)
    this.code = code
    this.extensions = { code }
  }
}
