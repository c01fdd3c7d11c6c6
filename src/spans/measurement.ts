/** What one finished call cost: what a span says once its vocabulary is stripped. */
export interface Measurement {
  /** Whole nanoseconds, 0 or more. */
  readonly duration: number
  readonly failed: boolean
  /** How many arguments (resolvers) or bind parameters (queries) it had; null where the span does not say. */
  readonly argsCount: number | null
  readonly traceId: TraceId
}

/** What one SQL statement cost, and who sent it. */
export interface QueryMeasurement extends Measurement {
  /** Rows that it returned or changed; null where the span does not say. */
  readonly rows: number | null
  /** `Type.field` of the resolver that sent it; null where that is not known. */
  readonly resolver: string | null
  /** The name, in the store, of the operation that it was sent for; null where that is not known. */
  readonly operation: string | null
}

/** What an operation cost that is over. */
export interface OperationCost {
  /** Nanoseconds. */
  readonly duration: number
  /** SQL statements that it sent, and the nanoseconds that they took, one by one. */
  readonly statements: number
  readonly sqlTime: number
  readonly trace: TraceOfOperation
}

/** 32 hexadecimal digits, or what makes them when asked; null where there is no trace. */
export type TraceId = string | TraceOfOperation | null

/** The trace of an operation that is measured itself. */
export interface TraceOfOperation {
  readonly id: string
  isExported: boolean
  /** Whether a resolver or a query in it was slow. */
  hasSlowPart: boolean
}

export function traceIdText(traceId: TraceId): string | null {
  return typeof traceId === 'object' ? (traceId?.id ?? null) : traceId
}

/** Whether spans of the trace leave the process, as far as is known. */
export function isExported(traceId: TraceId): boolean {
  return typeof traceId === 'object' && traceId?.isExported === true
}
