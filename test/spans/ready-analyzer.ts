import { fingerprintSync, loadModule } from 'libpg-query'
import { createSqlAnalyzer } from '../../src/spans/sql/analyzer.js'

/** One whose parser has loaded. */
export async function createReady(options: Parameters<typeof createSqlAnalyzer>[0] = {}) {
  const analyzer = createSqlAnalyzer(options)
  await Promise.all([analyzer.ready, loadModule()])
  return analyzer
}

/** Whether a fingerprint is the one that the parser gives a statement. */
export const isParsed = (sql: string, fingerprint: string) => fingerprintSync(sql) === fingerprint
