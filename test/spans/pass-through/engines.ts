/** The two ways in which a schema is executed, alike to who uses them. */
import {
  execute,
  parse,
  type DocumentNode,
  type ExecutionResult,
  type GraphQLFieldResolver,
  type GraphQLObjectType,
  type GraphQLSchema
} from 'graphql'
import type * as GraphqlJit from 'graphql-jit'
import { createRequire } from 'node:module'

export interface Request {
  readonly document: DocumentNode
  readonly operationName?: string | undefined
  readonly variables?: Record<string, unknown>
}

export type Operation = (rootValue: unknown, contextValue: unknown) => ExecutionResult | Promise<ExecutionResult>

/** Makes an operation ready to be executed as often as one likes. */
export type Engine = (schema: GraphQLSchema, request: Request) => Operation

const requireOfMercurius = createRequire(createRequire(import.meta.url).resolve('mercurius'))
const { compileQuery, isCompiledQuery } = requireOfMercurius('graphql-jit') as typeof GraphqlJit

export const engines: ReadonlyMap<string, Engine> = new Map<string, Engine>([
  [
    'graphql-js',
    (schema, { document, operationName = null, variables = {} }) =>
      (rootValue, contextValue) =>
        execute({ schema, document, rootValue, contextValue, variableValues: variables, operationName })
  ],
  [
    'graphql-jit',
    (schema, { document, operationName, variables = {} }) => {
      const query = compileQuery(schema, document, operationName)
      return (rootValue, contextValue) =>
        isCompiledQuery(query) ? query.query(rootValue, contextValue, variables) : query
    }
  ]
])

export function requestOf(text: string): Request {
  return { document: parse(text) }
}

/** Puts a resolver into a schema. */
export function resolveWith(
  schema: GraphQLSchema,
  type: string,
  name: string,
  resolve: GraphQLFieldResolver<unknown, unknown>
): void {
  const field = (schema.getType(type) as GraphQLObjectType | undefined)?.getFields()[name]
  if (field === undefined) throw new Error(`${type}.${name} is not in the schema`)
  field.resolve = resolve
}

export function describe(value: unknown): string {
  return value instanceof Error ? `${value.name}: ${value.message}` : String(value)
}
