import { SpanStatusCode, type Attributes, type AttributeValue, type Link, type SpanStatus } from '@opentelemetry/api'
import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import { isOfPostgres, queryNameOf, startsQuery } from './sample.js'

/** Names and values longer than this are cut; the operation's name in one is the client's choice. */
const LIMIT = 1024

type Secret = 'sql' | 'url' | 'value' | 'document' | 'error'

/**
 * What may hold what must not leave. A URL's query may be a GraphQL document with its literals, or a token; the text of an
 * error may quote what a client sent or what the database holds.
 */
const secrets = new Map<string, Secret>([
  ['db.query.text', 'sql'],
  ['db.statement', 'sql'],
  ['url.full', 'url'],
  ['url.path', 'url'],
  ['http.url', 'url'],
  ['http.target', 'url'],
  ['url.query', 'value'],
  ['url.fragment', 'value'],
  ['graphql.source', 'document'],
  ['exception.message', 'error'],
  ['exception.stacktrace', 'error'],
  ['error.message', 'error'],
  ['http.error_message', 'error'],
  ['http.status_text', 'error']
])
/** The beginnings of names under which instrumentations put what SQL, GraphQL, HTTP and RPC were given, if they are told to. */
const VALUES =
  /^(?:db\.(?:[a-z]+\.values$|(?:query|operation|statement)\.parameter)|graphql\.variables|http\.(?:request|response)\.(?:header|body\.content)|rpc\.(?:grpc\.)?(?:request|response)\.metadata)/
/** A name that is an address, or a method and one, up to what has to go. */
const NAMED_BY_URL = /^((?:[A-Z]+ )?(?:\/|[a-z]+:\/\/)[^?#]*)[?#]/
/** How instrumentation-pg words an error of a query or a connection; of others' errors nobody knows what a code would be. */
const SQLSTATE = /^PostgreSQL error of type '.*' occurred \(code: ([0-9A-Z]{5})\)$/s

/** The parts of a span that may hold what must not leave. */
export interface Scrubbable extends Pick<ReadableSpan, 'name' | 'attributes' | 'events' | 'links'> {
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
 * URLs, documents that may have literals and comments in them, and the values that SQL, GraphQL or HTTP were given, in its
 * attributes and in those of its events and its links. Of names, that of a query's span of pg says no more than the operation,
 * or its prepared statement, nor does one that is the SQL itself, and one of a span or an event that is a URL ends before its
 * query; what else the application writes into a name leaves. What stays says where it failed: the span, the type of the error
 * and PostgreSQL's code for it. It changes the attributes in place: `setAttribute` would check and copy each again.
 *
 * @param statement what the span's query is, where it is one of a query
 * @param hasOwnSource whether the text of its document is one of ours, which has neither literals nor comments
 */
export function scrub(span: Scrubbable, statement: CleanStatement | undefined, hasOwnSource = false): void {
  const { attributes, events, links } = span
  const name = cleanName(cleanNameOf(span, statement))
  if (name !== span.name) span.updateName(name)
  if (span.status.code === SpanStatusCode.ERROR) {
    const message = sqlStateOf(span)
    span.setStatus({ code: SpanStatusCode.ERROR, ...(message === undefined ? {} : { message }) })
  }
  clean(attributes, statement?.text, hasOwnSource)
  for (const event of events) {
    const eventName = cleanName(event.name)
    if (eventName !== event.name) event.name = eventName
    if (event.attributes !== undefined) clean(event.attributes)
  }
  if (links.length > 0) links.forEach(cleanLink)
}

/** Leaves nothing but that there was a span, where it cannot be cleaned. */
export function erase(span: Scrubbable): void {
  for (const name of Object.keys(span.attributes)) Reflect.deleteProperty(span.attributes, name)
  span.events.length = 0
  span.links.length = 0
  span.updateName('unknown')
  if (span.status.code === SpanStatusCode.ERROR) span.setStatus({ code: SpanStatusCode.ERROR })
}

/** A client of another database, or an application, may call a span what it sends. */
function cleanNameOf(span: Scrubbable, statement: CleanStatement | undefined): string {
  if (startsQuery(span)) return queryNameOf(span, statement?.operation)
  const { name, attributes } = span
  const isSql = [attributes['db.query.text'], attributes['db.statement']].some(sql => isNamedBy(name, sql))
  return isSql ? (statement?.operation ?? 'UNKNOWN') : name
}

/** Whether a name is the SQL or the beginning of it; the SDK may have cut either. A single word tells no value. */
function isNamedBy(name: string, sql: unknown): boolean {
  if (typeof sql !== 'string' || sql === '') return false
  return (name.startsWith(sql) || sql.startsWith(name)) && !/^[A-Za-z]*$/.test(name)
}

/** The same where there is nothing to take away. */
function cleanName(name: string): string {
  const clean = NAMED_BY_URL.exec(name)?.[1] ?? name
  return clean.length > LIMIT ? clean.slice(0, LIMIT) : clean
}

/** Some versions of the SDK keep the very link that the application has handed over, so that it is copied first. */
function cleanLink({ attributes, ...link }: Link, index: number, links: Link[]): void {
  if (attributes === undefined) return
  const copied = { ...attributes }
  clean(copied)
  links[index] = { ...link, attributes: copied }
}

/** Of the SQL and the document that an event or a link quotes nothing is known. */
function clean(attributes: Attributes, sql = '?', hasOwnSource = false): void {
  for (const name in attributes) {
    const value = attributes[name]
    const secret = secrets.get(name) ?? (VALUES.test(name) ? 'value' : undefined)
    const document = hasOwnSource ? value : ''
    const cleaned = shortened(secret === undefined ? value : withoutSecret(secret, value, sql, document))
    // To put back what is there already would be most of what this takes.
    if (cleaned !== value) attributes[name] = cleaned
  }
}

function withoutSecret(
  secret: Secret,
  value: AttributeValue | undefined,
  sql: string,
  document: AttributeValue | undefined
): AttributeValue | undefined {
  switch (secret) {
    case 'sql':
      return sql
    case 'url':
      return withoutQuery(value)
    case 'value':
      return '?'
    case 'document':
      return document
    case 'error':
      return ''
  }
}

/** Without its fragment too, which may be a token as well. */
function withoutQuery(value: AttributeValue | undefined): AttributeValue | undefined {
  if (typeof value === 'string') return value.split(/[?#]/, 1)[0]
  if (!Array.isArray(value)) return value
  return value.map(item => (typeof item === 'string' ? withoutQuery(item) : item)) as AttributeValue
}

/** The same value where nothing in it is too long. */
function shortened(value: AttributeValue | undefined): AttributeValue | undefined {
  if (typeof value === 'string') return value.length > LIMIT ? value.slice(0, LIMIT) : value
  if (!Array.isArray(value) || !value.some(item => typeof item === 'string' && item.length > LIMIT)) return value
  return value.map(item => (typeof item === 'string' ? item.slice(0, LIMIT) : item)) as AttributeValue
}

/** The kind of error that PostgreSQL named, which tells no value; undefined for a span of anything else. */
function sqlStateOf(span: Scrubbable): string | undefined {
  if (!isOfPostgres(span)) return undefined
  for (const { attributes } of span.events) {
    const message = attributes?.['exception.message']
    const state = typeof message === 'string' ? SQLSTATE.exec(message)?.[1] : undefined
    if (state !== undefined) return state
  }
  return undefined
}
