import { SpanStatusCode, type Attributes, type AttributeValue, type SpanStatus } from '@opentelemetry/api'
import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import { queryNameOf, startsQuery } from './sample.js'

/** Names and values longer than this are cut; the operation's name in one is the client's choice. */
const LIMIT = 1024

const sqlAttributes = new Set(['db.query.text', 'db.statement'])
/** A URL's query may hold a GraphQL document with its literals, or a token. */
const urlAttributes = new Set(['url.full', 'http.url', 'http.target'])
/** The text of an error may quote what a client sent or what the database holds. */
const errorTexts = ['exception.message', 'exception.stacktrace']

/** The parts of a span that may hold what must not leave. */
export interface Scrubbable extends Pick<ReadableSpan, 'name' | 'attributes' | 'events'> {
  status: SpanStatus
  setStatus(status: SpanStatus): unknown
  updateName(name: string): unknown
}

/** What may be said of a query. */
export interface CleanStatement {
  /** 'SELECT', 'CREATE TABLE'. */
  readonly operation: string
  /** Redacted. */
  readonly text: string
}

/**
 * Takes out of a span that is about to end what must not leave the process: SQL literals, error texts, the query part of
 * URLs, in its name too. What stays says where it failed: the span, the type of the error and PostgreSQL's code for it. It changes the
 * attributes in place: `setAttribute` would check and copy each again.
 *
 * @param statement what the span's query is, where it is one of a query
 */
export function scrub(span: Scrubbable, statement: CleanStatement | undefined): void {
  const { attributes } = span
  const name = startsQuery(span) ? queryNameOf(span, statement?.operation) : span.name
  if (name !== span.name || name.length > LIMIT) span.updateName(name.slice(0, LIMIT))
  for (const name in attributes) {
    const value = attributes[name]
    if (sqlAttributes.has(name)) attributes[name] = statement?.text ?? '?'
    else if (typeof value === 'string' && urlAttributes.has(name)) attributes[name] = value.split('?', 1)[0] ?? ''
    else if (name === 'url.query') attributes[name] = '?'
    else if (name === 'graphql.source' && !isOfOperationOrField(attributes)) attributes[name] = ''
    else attributes[name] = shortened(value)
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

/** Leaves nothing but that there was a span, where it cannot be cleaned. */
export function erase(span: Scrubbable): void {
  for (const { attributes = {} } of [span, ...span.events]) {
    for (const name of Object.keys(attributes)) Reflect.deleteProperty(attributes, name)
  }
  span.updateName('unknown')
  if (span.status.code === SpanStatusCode.ERROR) span.setStatus({ code: SpanStatusCode.ERROR })
}

function shortened(value: AttributeValue | undefined): AttributeValue | undefined {
  if (typeof value === 'string') return value.length > LIMIT ? value.slice(0, LIMIT) : value
  if (!Array.isArray(value) || !value.some(item => typeof item === 'string' && item.length > LIMIT)) return value
  return value.map(item => (typeof item === 'string' ? item.slice(0, LIMIT) : item)) as AttributeValue
}

/** Of what was parsed the text holds the comments too, and the operation's span has it without them. */
function isOfOperationOrField(attributes: Attributes): boolean {
  return 'graphql.operation.type' in attributes || 'graphql.field.name' in attributes
}

/** Empties the texts of an error event, cuts others, and returns the SQLSTATE it named: the kind of error and no value. */
function withoutText(details: Attributes | undefined): string | undefined {
  if (details === undefined) return undefined
  const message = details['exception.message']
  for (const name in details) details[name] = errorTexts.includes(name) ? '' : shortened(details[name])
  return typeof message === 'string' ? /\(code: ([0-9A-Z]{5})\)/.exec(message)?.[1] : undefined
}
