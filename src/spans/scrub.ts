import { SpanStatusCode, type Attributes, type SpanStatus } from '@opentelemetry/api'
import type { ReadableSpan } from '@opentelemetry/sdk-trace'

/** Attributes longer than this are cut. */
const VALUE_LIMIT = 1024

const sqlAttributes = new Set(['db.query.text', 'db.statement'])
/** A URL's query may hold a GraphQL document with its literals, or a token. */
const urlAttributes = new Set(['url.full', 'http.url', 'http.target'])
/** The text of an error may quote what a client sent or what the database holds. */
const errorTexts = ['exception.message', 'exception.stacktrace']

/** The parts of a span that may hold what must not leave. */
export interface Scrubbable extends Pick<ReadableSpan, 'attributes' | 'events'> {
  status: SpanStatus
  setStatus(status: SpanStatus): unknown
}

/**
 * Takes out of a span that is about to end what must not leave the process: SQL literals, error texts, the query part of
 * URLs. What stays says where it failed: the span, the type of the error and PostgreSQL's code for it. It changes the
 * attributes in place: `setAttribute` would check and copy each again.
 *
 * @param sql the redacted text where the span is one of a query
 */
export function scrub(span: Scrubbable, sql: string | undefined): void {
  const { attributes } = span
  for (const name in attributes) {
    const value = attributes[name]
    if (typeof value !== 'string') continue
    if (sqlAttributes.has(name)) attributes[name] = sql ?? '?'
    else if (urlAttributes.has(name)) attributes[name] = value.split('?', 1)[0] ?? ''
    else if (name === 'url.query') attributes[name] = '?'
    else if (name === 'graphql.source' && !isOfOperationOrField(attributes)) attributes[name] = ''
    else if (value.length > VALUE_LIMIT) attributes[name] = value.slice(0, VALUE_LIMIT)
  }
  let code: string | undefined
  for (const { attributes: details } of span.events) {
    const found = withoutText(details)
    code ??= found
  }
  if (span.status.code === SpanStatusCode.ERROR) {
    span.setStatus({ code: SpanStatusCode.ERROR, ...(code === undefined ? {} : { message: code }) })
  }
}

/** Of what was parsed the text holds the comments too, and the operation's span has it without them. */
function isOfOperationOrField(attributes: Attributes): boolean {
  return 'graphql.operation.type' in attributes || 'graphql.field.name' in attributes
}

/** Empties the texts of an error event and returns the SQLSTATE it named, which says the kind of error and no value. */
function withoutText(details: Attributes | undefined): string | undefined {
  if (details === undefined) return undefined
  const message = details['exception.message']
  for (const name of errorTexts) if (name in details) details[name] = ''
  return typeof message === 'string' ? /\(code: ([0-9A-Z]{5})\)/.exec(message)?.[1] : undefined
}
