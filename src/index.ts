export { mercuriusPerformance, mercuriusPerformance as default } from './plugin.js'
export type { AppPerformance, PluginOptions } from './plugin.js'
export type { Authorize, CallerContext } from './graphql/access.js'
export type { ConfigPatch, PerformanceConfig } from './config.js'
export { PerformanceError, type ErrorCode } from './errors.js'
export {
  PerformanceMetricProducer,
  PerformanceSpanProcessor,
  ResolverInstrumentation,
  configure,
  createPool,
  getAllMetrics,
  trackCacheHit,
  trackCacheMiss
} from './process-monitor.js'
export { createMonitor, type Monitor } from './monitor.js'
export type { ResilientPool } from './database/pool.js'
export type { CreatePoolOptions } from './database/pool-options.js'
export type { QueryRetryOptions } from './database/query-request.js'
export type { TransactionClient, TransactionOptions } from './database/transaction-request.js'
export type { ProducerOptions } from './metrics/producer.js'
export type { ExportReport } from './spans/export/account.js'
export { recordRows } from './spans/rows.js'
export type { NamedPoolSnapshot, PoolSnapshot } from './store/pool-snapshot.js'
export type { SelfSnapshot } from './store/self-snapshot.js'
export type {
  CacheSnapshot,
  CountSummary,
  NamedCacheSnapshot,
  OperationSnapshot,
  QuerySnapshot,
  ResolverSnapshot,
  SeriesSnapshot,
  Snapshot,
  SnapshotOptions,
  StatementCaller,
  StatementSnapshot,
  TimeSummary
} from './store/snapshot.js'
export type { RecentCall } from './store/recent.js'
export type { SlowCall } from './store/slow.js'
export { trackedCache, type CacheTracker } from './cache/mercurius-cache.js'
