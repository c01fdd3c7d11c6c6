import { SpanStatusCode, type Attributes, type AttributeValue, type SpanStatus } from '@opentelemetry/api'
import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import { queryNameOf, startsQuery } from './sample.js'

/** Names and values longer than this are cut; the operation's name in one is the client's choice. */
const LIMIT = 1024

type Secret = 'sql' | 'url' | 'urlQuery' | 'document'

/** What may hold what must not leave. A URL's query may be a GraphQL document with its literals, or a token. */
const secrets = new Map<string, Secret>([
  ['db.query.text', 'sql'],
  ['db.statement', 'sql'],
  ['url.full', 'url'],
  ['http.url', 'url'],
  ['http.target', 'url'],
  ['url.query', 'urlQuery'],
  ['graphql.source', 'document']
])
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
    const secret = secrets.get(name)
    const clean = secret === undefined ? shortened(value) : withoutSecret(secret, value, attributes, statement)
    // To put back what is there already would be most of what this takes.
    if (clean !== value) attributes[name] = clean
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

function withoutSecret(
  secret: Secret,
  value: AttributeValue | undefined,
  attributes: Attributes,
  statement: CleanStatement | undefined
): AttributeValue | undefined {
  switch (secret) {
    case 'sql':
      return statement?.text ?? '?'
    case 'url':
      return shortened(typeof value === 'string' ? value.split('?', 1)[0] : value)
    case 'urlQuery':
      return '?'
    case 'document':
      return isOfOperationOrField(attributes) ? shortened(value) : ''
  }
}

/** The same value where nothing in it is too long. */
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
