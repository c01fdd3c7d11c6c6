import { InstrumentationNodeModuleDefinition, InstrumentationNodeModuleFile } from '@opentelemetry/instrumentation'
import type { DocumentNode, ExecutionArgs, ExecutionResult, GraphQLSchema } from 'graphql'

/** graphql-js refuses more than one argument, and shall be the one to do so. */
export type Execute = (args: ExecutionArgs, ...more: unknown[]) => ExecutionResult | Promise<ExecutionResult>

export type Subscribe = (
  args: ExecutionArgs,
  ...more: unknown[]
) => Promise<AsyncGenerator<ExecutionResult> | ExecutionResult>

export type CompiledExecution = (
  root: unknown,
  contextValue: unknown,
  variables: unknown
) => ExecutionResult | Promise<ExecutionResult>

export type CompileQuery = (
  schema: GraphQLSchema,
  document: DocumentNode,
  operationName: string | undefined,
  ...more: unknown[]
) => { query?: CompiledExecution }

/** A batch function of single-user-cache, which Mercurius' loaders stand on. */
export type LoadBatch = (queries: readonly unknown[], context: unknown) => PromiseLike<unknown>

export type AddLoader = (key: string, options: unknown, load: unknown, ...more: unknown[]) => unknown

/** How a pool of pg hands out connections; without a callback it returns a promise. */
export type Connect = (callback?: (...given: unknown[]) => unknown) => unknown

export interface Patches {
  readonly execute: (original: Execute) => Execute
  readonly subscribe: (original: Subscribe) => Subscribe
  readonly compileQuery: (original: CompileQuery) => CompileQuery
  readonly addLoader: (original: AddLoader) => AddLoader
  readonly connect: (original: Connect) => Connect
  /** Called when a library is loaded that sends SQL. */
  readonly sqlClient: () => void
}

export const GRAPHQL_VERSIONS = ['>=16 <17']

/** Which functions of which files are put in whose place, when an application loads them. */
export function moduleDefinitions(patches: Patches): InstrumentationNodeModuleDefinition[] {
  return [
    new InstrumentationNodeModuleDefinition('graphql', GRAPHQL_VERSIONS, undefined, undefined, [
      // Inside its file `executeSync` calls the `execute` that nobody has patched.
      patchedFile('execute', { execute: patches.execute, executeSync: patches.execute }),
      patchedFile('subscribe', { subscribe: patches.subscribe })
    ]),
    new InstrumentationNodeModuleDefinition('graphql-jit', ['*'], (exports: { compileQuery: CompileQuery }) => ({
      // Its exports are getters, so that nothing can be put in their place.
      ...exports,
      compileQuery: patches.compileQuery(exports.compileQuery)
    })),
    new InstrumentationNodeModuleDefinition('single-user-cache', ['*'], (exports: LoaderModule) => {
      const { prototype } = exports.Factory
      prototype.add = once(prototype.add, patches.addLoader)
      return exports
    }),
    new InstrumentationNodeModuleDefinition('pg-pool', ['*'], (exports: PoolModule) => {
      exports.prototype.connect = once(exports.prototype.connect, patches.connect)
      return exports
    }),
    new InstrumentationNodeModuleDefinition('pg', ['*'], undefined, undefined, [
      new InstrumentationNodeModuleFile(
        'pg/lib/client.js',
        ['*'],
        (exports: unknown) => {
          patches.sqlClient()
          return exports
        },
        () => undefined
      )
    ])
  ]
}

interface PoolModule {
  readonly prototype: { connect: Connect }
}

interface LoaderModule {
  readonly Factory: { readonly prototype: { add: AddLoader } }
}

type Exports = Record<string, unknown>

/** A file of graphql with functions of ours in the place of some that it exports. */
function patchedFile<Original extends object>(
  file: string,
  patched: Readonly<Record<string, (original: Original) => Original>>
): InstrumentationNodeModuleFile {
  const names = Object.keys(patched)
  return new InstrumentationNodeModuleFile(
    `graphql/execution/${file}.js`,
    GRAPHQL_VERSIONS,
    (exports: Exports) => {
      for (const name of names) {
        const patch = patched[name]
        if (patch) exports[name] = once(exports[name] as Original, patch)
      }
      return exports
    },
    (exports?: Exports) => {
      for (const name of names) if (exports) exports[name] = originalOf(exports[name] as Original)
    }
  )
}

const ORIGINAL = Symbol.for('mercurius-performance.original')

/** Whether a function is one of ours in the place of another. */
export function isPatched(value: unknown): boolean {
  return typeof value === 'function' && ORIGINAL in value
}

/** Puts a function of ours in the place of another. Not with the marks of `_wrap`: OpenTelemetry's GraphQL instrumentation takes off whatever carries them. */
export function once<Original extends object>(original: Original, patch: (original: Original) => Original): Original {
  return isPatched(original) ? original : Object.assign(patch(original), { [ORIGINAL]: original })
}

function originalOf<Original extends object>(patched: Original & { [ORIGINAL]?: Original }): Original {
  return patched[ORIGINAL] ?? patched
}
