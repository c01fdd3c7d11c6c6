import { context, ROOT_CONTEXT, trace, type Context, type Span } from '@opentelemetry/api'
import { isTracingSuppressed } from '@opentelemetry/core'
import { InstrumentationBase, type InstrumentationNodeModuleDefinition } from '@opentelemetry/instrumentation'
import type { DocumentNode, GraphQLSchema } from 'graphql'
import { markMeasured } from '../operations.js'
import { isUnsampled } from '../unsampled.js'
import { INSTRUMENTATION_NAME, INSTRUMENTATION_VERSION, operationAttributes, setSource } from '../sample.js'
import { measureBatches } from './batches.js'
import { forget } from './context-values.js'
import { Documents, type OperationFacts } from './document.js'
import { Execution, type ExecutionOptions } from './execution.js'
import { moduleDefinitions, type CompiledExecution, type CompileQuery, type Connect, type Execute } from './modules.js'
import { run } from './runner.js'
import { SchemaWrapper } from './schema.js'
import type { ExecutionSink } from './sinks.js'
import { measureSubscribe } from './subscribe.js'

export interface ResolverInstrumentationOptions {
  readonly sink: ExecutionSink
  /** Whether spans are exported at all; without, none is made. Default: true. */
  readonly isExporting?: boolean
  /** Whether it is put into what is loaded from now on; else that waits for `enable()`. Default: true. */
  readonly isInstalled?: boolean
}

/**
 * Measures every operation and every call of a resolver, whichever engine executes it: graphql-js (also the start and
 * the events of a subscription) or graphql-jit; and the batches of Mercurius' loaders.
 */
export class ExecutionInstrumentation extends InstrumentationBase {
  // InstrumentationBase calls `init` from its constructor, before these are set; the patches read them later.
  readonly #sink: ExecutionSink
  readonly #isExporting: boolean
  readonly #documents = new Documents((name, type) => this.#sink.operationWriter(name, type))
  readonly #schemas: SchemaWrapper

  constructor({ sink, isExporting = true, isInstalled = true }: ResolverInstrumentationOptions) {
    super(INSTRUMENTATION_NAME, INSTRUMENTATION_VERSION, { enabled: isInstalled })
    this.#sink = sink
    this.#isExporting = isExporting
    this.#schemas = new SchemaWrapper(sink, () => this.tracer)
  }

  protected init(): InstrumentationNodeModuleDefinition[] {
    return moduleDefinitions({
      execute: original => this.#patchExecute(original),
      subscribe: original =>
        measureSubscribe(
          original,
          ({ schema, document, operationName }) => this.#begin(schema, document, operationName, false),
          () => this.#sink
        ),
      compileQuery: original => this.#patchCompile(original),
      addLoader: original => measureBatches(original, () => this.#sink),
      connect: original => this.#patchConnect(original),
      sqlClient: () => {
        this.#sink.foundSqlClient()
      }
    })
  }

  #patchExecute(original: Execute): Execute {
    return (args, ...more) => {
      if (more.length > 0) return original(args, ...more)
      const execution = this.#begin(args.schema, args.document, args.operationName, true)
      if (execution !== undefined) markMeasured(trace.getActiveSpan())
      if (execution === undefined || isIdle(execution)) {
        // OpenTelemetry's text has the comments of the client in it.
        const facts = this.#isExporting ? this.#documents.factsOf(args.document, args.operationName) : undefined
        setSource(trace.getActiveSpan(), facts?.source ?? '')
        forget(args.contextValue)
        return original(args)
      }
      setSource(execution.exported?.span, execution.facts.source)
      return run(this.#sink, execution, args.contextValue, undefined, () => original(args))
    }
  }

  #patchCompile(original: CompileQuery): CompileQuery {
    return (schema, document, operationName, ...more) => {
      // The compiler takes the resolvers out of the schema here, so they must be wrapped by now.
      const facts = this.#prepared(schema, document, operationName)
      const compiled = original(schema, document, operationName, ...more)
      const { query } = compiled
      if (query === undefined || facts === undefined) return compiled
      const measuredQuery: CompiledExecution = (root, contextValue, variables) => {
        const options = this.#executionOptions()
        if (options?.isMeasured !== true) this.#missed(facts)
        if (options === undefined) {
          forget(contextValue)
          return query(root, contextValue, variables)
        }
        const span = this.#isExporting && !isUnsampled() ? this.#startSpan(facts) : undefined
        const active = this.#activeContext
        const execution = new Execution(facts, options, span === undefined ? active : trace.setSpan(active, span))
        if (isIdle(execution)) {
          span?.end()
          forget(contextValue)
          return query(root, contextValue, variables)
        }
        this.#keep(execution)
        return run(this.#sink, execution, contextValue, span, () => query(root, contextValue, variables))
      }
      return { ...compiled, query: measuredQuery }
    }
  }

  /** What the document says, once the schema is wrapped; undefined for what the engine will refuse. */
  #prepared(
    schema: GraphQLSchema,
    document: DocumentNode,
    operationName: string | null | undefined
  ): OperationFacts | undefined {
    try {
      this.#schemas.wrap(schema)
      return this.#documents.factsOf(document, operationName)
    } catch (error) {
      this.#sink.caught(error)
      return undefined
    }
  }

  /** @param isOperation false where the stream of a subscription is opened, which is none that could be exported */
  #begin(
    schema: GraphQLSchema,
    document: DocumentNode,
    operationName: string | null | undefined,
    isOperation: boolean
  ): Execution | undefined {
    const options = this.#executionOptions()
    if (options === undefined && !this.#sink.isEnabled) return undefined
    try {
      if (options !== undefined) this.#schemas.wrapOnce(schema)
      const facts = this.#documents.factsOf(document, operationName)
      if (isOperation && facts !== undefined && options?.isMeasured !== true) this.#missed(facts)
      if (options === undefined || facts === undefined) return undefined
      const execution = new Execution(facts, options, this.#activeContext)
      if (isOperation) this.#keep(execution)
      return execution
    } catch (error) {
      // An invalid schema or document is for the engine to refuse.
      this.#sink.caught(error)
      return undefined
    }
  }

  /**
   * How an operation that begins is executed; undefined where it is neither measured nor exported. While measuring is off
   * after faults its spans are made all the same.
   */
  #executionOptions(): ExecutionOptions | undefined {
    const isMeasured = this.#sink.accepts()
    if (!isMeasured && !(this.#isExporting && this.#sink.isEnabled)) return undefined
    return { isMeasured, isExporting: this.#isExporting, entersDirectly: this.#sink.contexts !== undefined }
  }

  /** The API looks for its context manager each time. */
  get #activeContext(): Context {
    return this.#sink.contexts?.active() ?? context.active()
  }

  /** From here on what the operation does is kept, where it is not sampled and may have to be exported all the same. */
  #keep(execution: Execution): void {
    const { slowTraces, maxResolverSpans } = this.#sink
    const { isMeasured, facts, trace } = execution
    if (slowTraces === undefined || !isMeasured || facts.isOwn || trace.isExported) return
    // What runs inside that is not to be exported, whatever becomes of it.
    if (execution.outer !== ROOT_CONTEXT && isTracingSuppressed(execution.outer)) return
    execution.kept = slowTraces.keep(maxResolverSpans)
  }

  /** Counts an operation that is not measured, with its calls: while measuring is off nobody knows how many they are. */
  #missed({ isOwn }: OperationFacts): void {
    if (!isOwn) this.#sink.lost()
  }

  /** Whoever gives a connection back hands it on to the next in line, whose callback belongs to another context. */
  #patchConnect(original: Connect): Connect {
    const within = (): Context => this.#sink.operations.context
    return function (this: unknown, callback) {
      return original.call(this, callback && context.bind(within(), callback))
    }
  }

  /** The span that OpenTelemetry's GraphQL instrumentation would make, which sees nothing of graphql-jit. */
  #startSpan({ type, name, source }: OperationFacts): Span | undefined {
    try {
      const attributes = operationAttributes(type, name, source)
      return this.tracer.startSpan(name === undefined ? type : `${type} ${name}`, { attributes })
    } catch (error) {
      // A span processor of the application's may throw.
      this.#sink.caught(error)
      return undefined
    }
  }
}

/** Whether nobody would hear of the operation and of what runs inside it: measuring is off and it is not exported. */
function isIdle({ isMeasured, exported, parentCall }: Execution): boolean {
  return !isMeasured && exported === undefined && parentCall === undefined
}
