import type { Span } from '@opentelemetry/api'
import { rowAttributes } from './sample.js'

/** The part of a result of `pg` that is used. */
interface PgResult {
  /** Null for a statement that has none, such as BEGIN. */
  readonly rowCount: number | null
  /** The columns; none where no rows are returned. */
  readonly fields: readonly unknown[]
}

/**
 * Writes on the span of a query how many rows it returned or changed: the `responseHook` of OpenTelemetry's
 * `PgInstrumentation`. A text of several statements has several results, which are added up.
 */
export function recordRows(span: Span, { data }: { readonly data: PgResult | PgResult[] }): void {
  let returned: number | undefined
  let changed: number | undefined
  for (const { rowCount, fields } of Array.isArray(data) ? data : [data]) {
    if (rowCount === null) continue
    if (fields.length > 0) returned = (returned ?? 0) + rowCount
    else changed = (changed ?? 0) + rowCount
  }
  span.setAttributes(rowAttributes(returned, changed))
}
