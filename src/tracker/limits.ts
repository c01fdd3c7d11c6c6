import type { Server } from 'node:http'
import { maxAliasesRule } from '@escape.tech/graphql-armor-max-aliases'
import { maxDirectivesRule } from '@escape.tech/graphql-armor-max-directives'
import type { FastifyHttpOptions } from 'fastify'
import {
  Kind,
  NoSchemaIntrospectionCustomRule,
  type ParseOptions,
  type ValidationContext,
  type ValidationRule
} from 'graphql'
import { createDepthRule } from './depth-rule.js'
import { TrackerError, type TrackerErrorCode } from './errors.js'

/** The most that one document may ask, on every transport. */
export const queryLimits = { depth: 10, aliases: 15, directives: 50, tokens: 1_000 } as const

export const parseOptions: ParseOptions = { maxLexicalTokens: queryLimits.tokens }

/** Documents kept parsed and validated. Each may be as large as a request body, so far fewer than Mercurius' 1,024. */
export const DOCUMENT_CACHE_SIZE = 200

const KIBIBYTE = 1_024

/** The largest request body and the largest WebSocket message, in bytes. */
export const BODY_LIMIT = 64 * KIBIBYTE

/** Milliseconds. Node's own defaults are minutes or none, and Fastify's are none. */
export const serverLimits = {
  bodyLimit: BODY_LIMIT,
  requestTimeout: 30_000,
  // Counts idleness; a socket that becomes a WebSocket is let off.
  connectionTimeout: 60_000,
  keepAliveTimeout: 10_000,
  http: { headersTimeout: 10_000, connectionsCheckingInterval: 2_000, maxHeaderSize: 16 * KIBIBYTE }
} satisfies FastifyHttpOptions<Server>

export interface SocketLimits {
  /** The most WebSockets at once; each holds its subscriptions and what is yet to be sent. */
  readonly most: number
  /** Milliseconds until a client must have sent `connection_init`. */
  readonly initialisation: number
  /** Milliseconds between two pings; a client that leaves one unanswered is gone. */
  readonly ping: number
}

export const socketLimits: SocketLimits = { most: 1_000, initialisation: 10_000, ping: 30_000 }

export interface ValidateOptions {
  /** The most errors that one answer lists. */
  readonly maxErrors: number
  /** Suggestions of what might have been meant tell the names in the schema. */
  readonly hideSuggestions: boolean
}

export function createValidateOptions(production: boolean): ValidateOptions {
  return { maxErrors: 20, hideSuggestions: production }
}

export interface RuleOptions {
  readonly production: boolean
  /** As the option of the Tracker: 0 is none. */
  readonly jit: number
}

/** Rules beside those of the GraphQL specification. */
export function createValidationRules({ production, jit }: RuleOptions): ValidationRule[] {
  const rules = [
    createDepthRule(queryLimits.depth),
    asRule(onReject =>
      maxAliasesRule({ n: queryLimits.aliases, allowList: [], propagateOnRejection: false, onReject: [onReject] })
    )('TOO_MANY_ALIASES', `more than ${queryLimits.aliases} aliases`),
    asRule(onReject =>
      maxDirectivesRule({ n: queryLimits.directives, propagateOnRejection: false, onReject: [onReject] })
    )('TOO_MANY_DIRECTIVES', `more than ${queryLimits.directives} directives`)
  ]
  if (jit > 0) rules.push(oneOperationRule)
  if (production) rules.push(NoSchemaIntrospectionCustomRule)
  return rules
}

/** Mercurius keeps what graphql-jit compiled by the document alone, and would run it for every other operation of it. */
const oneOperationRule: ValidationRule = context => ({
  Document: ({ definitions }) => {
    const operations = definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION)
    if (operations.length > 1) {
      const excess = 'more than one operation; with graphql-jit (TRACKER_JIT) each needs a document of its own'
      context.reportError(new TrackerError('TOO_MANY_OPERATIONS', `the document has ${excess}`))
    }
  }
})

type OnReject = (context: ValidationContext | null) => void

/** GraphQL Armor throws, which ends validation with an error of no code; reporting keeps it one error among others. */
function asRule(createRule: (onReject: OnReject) => (context: ValidationContext) => object) {
  return (code: TrackerErrorCode, excess: string): ValidationRule => {
    const rule = createRule(context => {
      context?.reportError(new TrackerError(code, `the document has ${excess}`))
    })
    return context => ({ ...rule(context) })
  }
}
