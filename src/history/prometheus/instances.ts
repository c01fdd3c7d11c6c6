import type { InstanceReport } from '../../store/history.js'
import type { Labels, PrometheusClient } from './client.js'
import { selector } from './promql.js'

const INSTANCES_LISTED = 1000
/** Two and a half of the minutes that usually lie between two exports. */
const REPORTING = 150_000

/**
 * Who has exported in the last day, from what OTLP's resources become: one series for each process, as long as processes
 * of one name differ in some attribute.
 *
 * @param job the service's name there
 */
export async function instancesOf(client: PrometheusClient, job: string, now: number): Promise<InstanceReport[]> {
  const limit = client.limit()
  const time = `timestamp(${selector('target_info', { job })})`
  // What is looked at every minute does not show what came since the last full one.
  const [last, first] = await Promise.all(
    [`${time} or max_over_time(${time}[1d:1m])`, `min_over_time(${time}[1d:1m]) or ${time}`].map(query =>
      client.instant(query, now, limit)
    )
  )
  const since = new Map((first ?? []).map(({ labels, samples }) => [keyOf(labels), timeOf(samples)]))
  const reports = (last ?? []).map(({ labels, samples }): InstanceReport => {
    const lastSeen = timeOf(samples)
    return {
      name: labels.instance ?? '',
      version: labels.service_version ?? null,
      since: since.get(keyOf(labels)) ?? lastSeen,
      lastSeen,
      isReporting: lastSeen > now - REPORTING
    }
  })
  return reports.sort((one, other) => other.since - one.since).slice(0, INSTANCES_LISTED)
}

function timeOf([sample]: readonly { readonly amount: { readonly count: number } }[]): number {
  return Math.round((sample?.amount.count ?? 0) * 1000)
}

function keyOf(labels: Labels): string {
  return JSON.stringify(Object.entries(labels).sort(([one], [other]) => (one < other ? -1 : 1)))
}
