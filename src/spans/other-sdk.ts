import { context, isSpanContextValid, trace } from '@opentelemetry/api'
import { resources } from '@opentelemetry/sdk-node'
import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import type { DirectContextManager } from './context-manager.js'
import { INSTRUMENTATION_NAME } from './sample.js'

/*
 * An application may have started an SDK of its own before ours, which OpenTelemetry's API then goes on using. It does not
 * tell; these find out.
 */

/** What all spans of this process say of it; the SDK tells only its spans. */
export function resourceOfProcess(): ReadableSpan['resource'] {
  // Never ended, so that nobody counts it; recording, since measuring is on while the SDK starts.
  const probe = trace.getTracer(INSTRUMENTATION_NAME).startSpan('probe') as Partial<ReadableSpan>
  return probe.resource ?? resources.defaultResource()
}

/** Whether no other SDK makes the spans of this process, which would export those of operations to where it wants. */
export function isFirstProvider(): boolean {
  // Where nobody has registered one, spans have no ids.
  return !isSpanContextValid(trace.getTracer(INSTRUMENTATION_NAME).startSpan('probe').spanContext())
}

/** Whether contexts that are entered here are those that the API sees: another SDK may have been there before. */
export function isInCharge(contextManager: DirectContextManager): boolean {
  const probe = context.active().setValue(Symbol('probe'), true)
  const isSeen = contextManager.with<[], () => boolean>(probe, () => context.active() === probe)
  // Until something needs contexts, promises need not be followed.
  contextManager.disable()
  return isSeen
}
