import { diag, DiagLogLevel, trace, TraceFlags } from '@opentelemetry/api'
import { ExportResultCode, type ExportResult } from '@opentelemetry/core'
import {
  BatchSpanProcessor,
  createAlwaysRecordSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
  type ReadableSpan,
  type SpanExporter
} from '@opentelemetry/sdk-trace'
import * as fc from 'fast-check'
import { test } from 'tap'
import { ExportAccount, type ExportReport } from '../../../src/spans/export/account.js'
import { AccountedProcessor } from '../../../src/spans/export/accounted-processor.js'

type Answer = (result: ExportResult) => void

/** An exporter whose other end answers when the test says so. */
function held(): SpanExporter & { readonly waiting: Answer[]; sent: number } {
  const waiting: Answer[] = []
  return {
    waiting,
    sent: 0,
    export(spans: ReadableSpan[], done: Answer) {
      this.sent += spans.length
      waiting.push(done)
    },
    shutdown: () => Promise.resolve()
  }
}

const success = { code: ExportResultCode.SUCCESS }
const failure = { code: ExportResultCode.FAILED, error: new Error('refused') }
const isBalanced = ({ ended, exported, dropped, failed, notSampled, waiting }: ExportReport): boolean =>
  ended === exported + dropped + failed + notSampled + waiting &&
  Math.min(exported, dropped, failed, notSampled, waiting) >= 0

function exporting(exporter: SpanExporter, room: number): { account: ExportAccount; processor: AccountedProcessor } {
  const account = new ExportAccount()
  const limits = { maxQueueSize: room, maxExportBatchSize: 4, scheduledDelayMillis: 3_600_000 }
  const processor = new AccountedProcessor(
    account,
    exporter,
    { queued: room, waiting: room + 4 },
    counted => new BatchSpanProcessor({ exporter: counted, ...limits })
  )
  return { account, processor }
}

test('ended = exported + dropped + failed + not sampled + waiting, whatever the other end does and whenever', async () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('span' as const), count: fc.integer({ min: 1, max: 12 }) }),
    fc.record({ kind: fc.constant('answer' as const), isSuccess: fc.boolean() }),
    fc.record({ kind: fc.constant('flush' as const) })
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async steps => {
      const exporter = held()
      const { account, processor } = exporting(exporter, 10)
      const sampler = createAlwaysRecordSampler(new TraceIdRatioBasedSampler(0.5))
      const tracer = new TracerProvider({ sampler, spanProcessors: [processor] }).getTracer('test')
      let made = 0
      let sampled = 0
      let most = 0
      for (const { kind, ...given } of steps) {
        if (kind === 'span' && 'count' in given) {
          for (let index = 0; index < given.count; index += 1) {
            const span = tracer.startSpan('span')
            made += 1
            if (span.spanContext().traceFlags & TraceFlags.SAMPLED) sampled += 1
            span.end()
          }
        } else if (kind === 'answer' && 'isSuccess' in given) {
          exporter.waiting.shift()?.(given.isSuccess ? success : failure)
        } else {
          void processor.forceFlush().catch(() => undefined)
        }
        await Promise.resolve()
        most = Math.max(most, account.report.waiting)
        if (!isBalanced(account.report) || account.report.ended !== made) return false
      }
      for (let round = 0; round < 10; round += 1) {
        void processor.forceFlush().catch(() => undefined)
        exporter.waiting.splice(0).forEach(answer => {
          answer(success)
        })
        await Promise.resolve()
      }
      const { ended, exported, dropped, failed, notSampled, waiting } = account.report
      return (
        ended === made &&
        notSampled === made - sampled &&
        exported + failed === exporter.sent &&
        dropped === sampled - exporter.sent &&
        most <= 14 &&
        waiting === 0
      )
    }),
    { numRuns: 300 }
  )
})

test('spans that end after the shutdown are dropped, one that answers twice counts once, and one that throws has failed', async t => {
  const exporter = held()
  const { account, processor } = exporting(exporter, 100)
  const tracer = new TracerProvider({ spanProcessors: [processor] }).getTracer('test')
  tracer.startSpan('one').end()
  const flushed = processor.forceFlush()
  const [answer] = exporter.waiting
  answer?.(success)
  answer?.(failure)
  await flushed
  t.match(account.report, { ended: 1, exported: 1, failed: 0, waiting: 0 })

  exporter.export = () => {
    throw new Error('broken')
  }
  tracer.startSpan('two').end()
  await processor.forceFlush().catch(() => undefined)
  t.match(account.report, { ended: 2, exported: 1, failed: 1, waiting: 0 })

  await processor.shutdown()
  tracer.startSpan('three').end()
  t.match(account.report, { ended: 3, exported: 1, failed: 1, dropped: 1, waiting: 0 })
})

test('a span that is exported later is no longer one that was not sampled', t => {
  const { account, processor } = exporting(held(), 100)
  const sampler = createAlwaysRecordSampler(new TraceIdRatioBasedSampler(0))
  const span = new TracerProvider({ sampler, spanProcessors: [processor] }).getTracer('test').startSpan('late')
  span.end()
  t.match(account.report, { ended: 1, notSampled: 1 })
  const sampled = trace.wrapSpanContext({ ...span.spanContext(), traceFlags: TraceFlags.SAMPLED })
  processor.reconsider(sampled as unknown as ReadableSpan)
  t.match(account.report, { ended: 1, notSampled: 0, waiting: 1 })
  t.end()
})

test('while the other end fails, what waits is bounded, on its way or not', async t => {
  const failing: SpanExporter = {
    export: (_spans, done) => {
      // As with retries, which end at different times: the SDK then sends more and more batches side by side.
      setTimeout(done, 5 + Math.random() * 5, failure)
    },
    shutdown: () => Promise.resolve()
  }
  const account = new ExportAccount()
  const processor = new AccountedProcessor(account, failing, { queued: 40, waiting: 50 }, exporter =>
    new BatchSpanProcessor({ exporter, maxQueueSize: 40, maxExportBatchSize: 10, scheduledDelayMillis: 1 })
  ) // prettier-ignore
  const tracer = new TracerProvider({ spanProcessors: [processor] }).getTracer('test')
  let most = 0
  for (let round = 0; round < 300; round += 1) {
    for (let index = 0; index < 20; index += 1) tracer.startSpan('span').end()
    most = Math.max(most, account.report.waiting)
    await new Promise(resolve => setTimeout(resolve, 1))
  }
  t.ok(most <= 50, `${most} spans waited`)
  t.ok(account.report.failed > 500, 'it went on sending')
  t.ok(isBalanced(account.report))
  await processor.shutdown().catch(() => undefined)
})

test('a flush waits for what is on its way when it begins, and not for what ends later', async t => {
  const exporter = held()
  const { processor } = exporting(exporter, 100)
  const tracer = new TracerProvider({ spanProcessors: [processor] }).getTracer('test')
  // As many as a batch holds leave by themselves.
  for (let index = 0; index < 4; index += 1) tracer.startSpan('early').end()
  const [early] = exporter.waiting.splice(0)
  tracer.startSpan('late').end()
  let isFlushed = false
  const flushing = processor.forceFlush().then(() => (isFlushed = true))
  const [late] = exporter.waiting.splice(0)
  tracer.startSpan('later').end()
  late?.(success)
  await new Promise(setImmediate)
  t.notOk(isFlushed, 'the first batch is still on its way')
  early?.(success)
  await flushing
  t.ok(isFlushed)
})

test('spans that are dropped throw nothing, whatever diagnostic logger the application has', t => {
  const exporter = held()
  const { account, processor } = exporting(exporter, 1)
  const fail = (): void => {
    throw new Error('the log is full')
  }
  diag.setLogger({ error: fail, warn: fail, info: fail, debug: fail, verbose: fail }, { logLevel: DiagLogLevel.WARN })
  t.teardown(() => {
    diag.disable()
  })
  const tracer = new TracerProvider({ spanProcessors: [processor] }).getTracer('test')
  for (let index = 0; index < 5; index += 1) {
    t.doesNotThrow(() => {
      tracer.startSpan('span').end()
    })
  }
  t.match(account.report, { ended: 5, dropped: 3, waiting: 2 })
  for (const answer of exporter.waiting) answer(success)
  t.end()
})
