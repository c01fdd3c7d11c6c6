import { SpanStatusCode, type Attributes } from '@opentelemetry/api'
import type { Span } from '@opentelemetry/sdk-trace'

/** Attributes longer than this are cut. */
const VALUE_LIMIT = 1024

const sqlAttributes = ['db.query.text', 'db.statement']
/** A URL's query may hold a GraphQL document with its literals, or a token. */
const urlAttributes = ['url.full', 'http.url', 'http.target']
/** The text of an error may quote what a client sent or what the database holds. */
const errorTexts = ['exception.message', 'exception.stacktrace']

/**
 * Takes out of a span that is about to end what must not leave the process: SQL literals, error texts, the query part of
 * URLs. What stays says where it failed: the span, the type of the error and PostgreSQL's code for it.
 *
 * @param sql the redacted text where the span is one of a query
 */
export function scrub(span: Span, sql: string | undefined): void {
  const { attributes } = span
  if (sql !== undefined) {
    for (const name of sqlAttributes) if (name in attributes) span.setAttribute(name, sql)
  }
  for (const name of urlAttributes) {
    const url = attributes[name]
    if (typeof url === 'string') span.setAttribute(name, url.split('?', 1)[0] ?? '')
  }
  if ('url.query' in attributes) span.setAttribute('url.query', '?')
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'string' && value.length > VALUE_LIMIT) span.setAttribute(name, value.slice(0, VALUE_LIMIT))
  }
  const codes = span.events.map(({ attributes: details }) => withoutText(details)).filter(code => code !== undefined)
  if (span.status.code === SpanStatusCode.ERROR) {
    const [code] = codes
    span.setStatus({ code: SpanStatusCode.ERROR, ...(code === undefined ? {} : { message: code }) })
  }
}

/** Empties the texts of an error event and returns the SQLSTATE it named, which says the kind of error and no value. */
function withoutText(details: Attributes | undefined): string | undefined {
  if (details === undefined) return undefined
  const message = details['exception.message']
  for (const name of errorTexts) if (name in details) details[name] = ''
  return typeof message === 'string' ? /\(code: ([0-9A-Z]{5})\)/.exec(message)?.[1] : undefined
}
