import {
  getOperationAST,
  getVariableValues,
  GraphQLError,
  OperationTypeNode,
  parse,
  specifiedRules,
  validate,
  type DocumentNode,
  type GraphQLSchema,
  type ValidationRule
} from 'graphql'
import { TrackerError } from './errors.js'
import { parseOptions, type ValidateOptions } from './limits.js'

/** What a client may send, of which only `start` (`subscribe` in the newer protocol) carries a document. */
export interface ClientMessage {
  readonly id?: unknown
  readonly type?: unknown
  readonly payload?: unknown
  readonly extensions?: unknown
}

/** A message as an object, or undefined where it is none. */
export function readMessage(text: string): ClientMessage | undefined {
  try {
    const message: unknown = JSON.parse(text)
    return isObject(message) ? message : undefined
  } catch {
    return undefined
  }
}

/** The payload of `connection_init` becomes headers. */
export function isHeaders(payload: unknown): boolean {
  if (payload === undefined || payload === null) return true
  return isObject(payload) && (payload.headers === undefined || isObject(payload.headers))
}

/** Why a subscription is refused; empty where it is not. The same checks as over HTTP, which Mercurius leaves out here. */
export function checkSubscription(
  schema: GraphQLSchema,
  message: ClientMessage,
  rules: readonly ValidationRule[],
  options: ValidateOptions
): readonly GraphQLError[] {
  const { id, payload, extensions } = message
  if (typeof id !== 'string' || id.length > 100) return refuse('id: expected a text of at most 100 characters')
  if (extensions !== undefined) return refuse('extensions are not supported')
  if (!isObject(payload)) return refuse('payload: expected an object')
  const { query, variables, operationName } = payload
  // Anything but text would be taken for a parsed document, and executed without being validated.
  if (typeof query !== 'string') return refuse('query: expected the text of a GraphQL document')
  if (!isOptional(variables, isObject)) return refuse('variables: expected an object')
  if (!isOptional(operationName, isText)) return refuse('operationName: expected text')

  const document = parseOrErrors(query)
  if (Array.isArray(document)) return document
  const errors = validate(schema, document, [...specifiedRules, ...rules], options)
  return errors.length > 0 ? errors : checkOperation(schema, document, variables, operationName)
}

function checkOperation(
  schema: GraphQLSchema,
  document: DocumentNode,
  variables: Readonly<Record<string, unknown>> | null | undefined,
  operationName: string | null | undefined
): readonly GraphQLError[] {
  const operation = getOperationAST(document, operationName)
  if (!operation) return refuse('operationName: expected the name of one of the operations')
  if (operation.operation !== OperationTypeNode.SUBSCRIPTION)
    return refuse('only subscriptions are served over WebSocket; use HTTP')
  return getVariableValues(schema, operation.variableDefinitions ?? [], variables ?? {}).errors ?? []
}

function parseOrErrors(query: string): DocumentNode | GraphQLError[] {
  try {
    return parse(query, parseOptions)
  } catch (error) {
    if (error instanceof GraphQLError) return [error]
    throw error
  }
}

function refuse(message: string): GraphQLError[] {
  return [new TrackerError('BAD_REQUEST', message)]
}

function isOptional<Value>(value: unknown, is: (value: unknown) => value is Value): value is Value | null | undefined {
  return value === undefined || value === null || is(value)
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
