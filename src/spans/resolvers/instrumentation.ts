import { context, SpanStatusCode, trace, type Span } from '@opentelemetry/api'
import {
  InstrumentationBase,
  InstrumentationNodeModuleDefinition,
  InstrumentationNodeModuleFile
} from '@opentelemetry/instrumentation'
import type { DocumentNode, ExecutionArgs, ExecutionResult, GraphQLSchema } from 'graphql'
import { markMeasured, type RunningOperations } from '../operations.js'
import { INSTRUMENTATION_NAME, operationAttributes } from '../sample.js'
import { Documents, type OperationFacts } from './document.js'
import { Execution, withExecution } from './execution.js'
import type { ResolverSink } from './measure.js'
import { SchemaWrapper } from './schema.js'

/** Where operations and resolver calls go. */
export interface ExecutionSink extends ResolverSink {
  readonly operations: RunningOperations
  accepts(): boolean
  /** `nanoseconds` of one execution, which sent `execution.statements` SQL statements. */
  executed(execution: Execution, nanoseconds: number, failed: boolean): void
}

export interface ResolverInstrumentationOptions {
  readonly sink: ExecutionSink
  /** Whether spans are exported at all; without, none is made. Default: true. */
  readonly isExporting?: boolean
}

const GRAPHQL_VERSIONS = ['>=16 <17']

const ORIGINAL = Symbol.for('mercurius-performance.original')

type Execute = ExecuteModule['execute'] & { [ORIGINAL]?: ExecuteModule['execute'] }

/** Whether `execute` of graphql-js is ours. */
export function isPatched(execute: unknown): boolean {
  return typeof execute === 'function' && ORIGINAL in execute
}

function originalOf(execute: Execute): ExecuteModule['execute'] {
  return execute[ORIGINAL] ?? execute
}

interface ExecuteModule {
  execute: (args: ExecutionArgs) => ExecutionResult | Promise<ExecutionResult>
}

type CompiledExecution = (
  root: unknown,
  contextValue: unknown,
  variables: unknown
) => ExecutionResult | Promise<ExecutionResult>

interface JitModule {
  readonly compileQuery: (
    schema: GraphQLSchema,
    document: DocumentNode,
    operationName: string | undefined,
    ...more: unknown[]
  ) => { query?: CompiledExecution }
}

/**
 * Measures every operation and every call of a resolver, whichever engine executes it: graphql-js (also for the events
 * of a subscription) or graphql-jit.
 */
export class ExecutionInstrumentation extends InstrumentationBase {
  // InstrumentationBase calls `init` from its constructor, before this is set; the patches read it later.
  readonly #state: State

  constructor({ sink, isExporting = true }: ResolverInstrumentationOptions) {
    super(INSTRUMENTATION_NAME, '1', {})
    this.#state = { sink, isExporting, documents: new Documents(), schemas: new SchemaWrapper(sink, () => this.tracer) }
  }

  protected init(): InstrumentationNodeModuleDefinition[] {
    const file = new InstrumentationNodeModuleFile(
      'graphql/execution/execute.js',
      GRAPHQL_VERSIONS,
      (exports: ExecuteModule) => {
        // Not with the marks of `_wrap`: OpenTelemetry's GraphQL instrumentation takes off whatever carries them.
        if (!isPatched(exports.execute)) exports.execute = this.#patchExecute(exports.execute)
        return exports
      },
      (exports?: ExecuteModule) => {
        if (exports) exports.execute = originalOf(exports.execute)
      }
    )
    const graphql = new InstrumentationNodeModuleDefinition('graphql', GRAPHQL_VERSIONS, undefined, undefined, [file])
    const jit = new InstrumentationNodeModuleDefinition('graphql-jit', ['*'], (exports: JitModule) => ({
      // Its exports are getters, so that nothing can be put in their place.
      ...exports,
      compileQuery: this.#patchCompile(exports.compileQuery)
    }))
    return [graphql, jit]
  }

  #patchExecute(original: ExecuteModule['execute']): ExecuteModule['execute'] {
    const patched: ExecuteModule['execute'] = args => {
      const execution = this.#begin(args.schema, args.document, args.operationName)
      if (execution === undefined) return original(args)
      const contextValue = withExecution(args.contextValue, execution)
      return this.#run(execution, undefined, () => original({ ...args, contextValue }))
    }
    return Object.assign(patched, { [ORIGINAL]: original })
  }

  #patchCompile(original: JitModule['compileQuery']): JitModule['compileQuery'] {
    return (schema, document, operationName, ...more) => {
      // The compiler takes the resolvers out of the schema here, so they must be wrapped by now.
      this.#state.schemas.wrap(schema)
      const compiled = original(schema, document, operationName, ...more)
      const { query } = compiled
      if (query === undefined) return compiled
      const measuredQuery: CompiledExecution = (root, contextValue, variables) => {
        const facts = this.#state.sink.accepts() && this.#state.documents.factsOf(document, operationName)
        if (!facts) return query(root, contextValue, variables)
        const span = this.#state.isExporting ? this.#startSpan(facts) : undefined
        const within = span === undefined ? context.active() : trace.setSpan(context.active(), span)
        const execution = new Execution(facts, this.#state.isExporting, within)
        return this.#run(execution, span, () => query(root, withExecution(contextValue, execution), variables))
      }
      return { ...compiled, query: measuredQuery }
    }
  }

  #begin(
    schema: GraphQLSchema,
    document: DocumentNode,
    operationName: string | null | undefined
  ): Execution | undefined {
    const { sink, documents, schemas, isExporting } = this.#state
    if (!sink.accepts()) return undefined
    try {
      schemas.wrapOnce(schema)
      const facts = documents.factsOf(document, operationName)
      if (facts === undefined) return undefined
      markMeasured(trace.getActiveSpan())
      return new Execution(facts, isExporting)
    } catch (error) {
      // An invalid schema or document is for the engine to refuse.
      sink.caught(error)
      return undefined
    }
  }

  #run<Result extends ExecutionResult | Promise<ExecutionResult>>(
    execution: Execution,
    span: Span | undefined,
    execute: () => Result
  ): Result {
    const { operations } = this.#state.sink
    const start = performance.now()
    const ended = (result: ExecutionResult | undefined): void => {
      const failed = result === undefined || (result.errors?.length ?? 0) > 0
      this.#state.sink.executed(execution, Math.round((performance.now() - start) * 1e6), failed)
      if (failed) span?.setStatus({ code: SpanStatusCode.ERROR })
      span?.end()
    }
    let result: Result
    operations.executing += 1
    try {
      result = execute()
    } catch (error) {
      ended(undefined)
      throw error
    } finally {
      operations.executing -= 1
    }
    if (result instanceof Promise) {
      result.then(ended, () => {
        ended(undefined)
      })
    } else {
      ended(result)
    }
    return result
  }

  /** The span that OpenTelemetry's GraphQL instrumentation would make, which sees nothing of graphql-jit. */
  #startSpan({ type, name, source }: OperationFacts): Span {
    const attributes = operationAttributes(type, name, source)
    return this.tracer.startSpan(name === undefined ? type : `${type} ${name}`, { attributes })
  }
}

interface State {
  readonly sink: ExecutionSink
  readonly isExporting: boolean
  readonly documents: Documents
  readonly schemas: SchemaWrapper
}
