import { Link } from 'react-router'
import type { RunRow } from '../api/types'
import { count } from '../format/quantity'
import { useFormats } from '../format/use'
import { useLanguage } from '../i18n'
import { CardTable } from '../parts/CardTable'
import { Progress } from './Progress'
import { RunStateTag } from './RunStateTag'
import '../parts/Flags.css'

/** How long a run took, or has taken so far, in seconds. */
export function runSeconds(run: RunRow): number | null {
  return run.ended_at === null ? null : (Date.parse(run.ended_at) - Date.parse(run.started_at)) / 1000
}

/** Sync runs, newest first. */
export function RunTable({ rows }: { rows: RunRow[] }) {
  const { t, say } = useLanguage()
  const { fullTime, duration } = useFormats()
  return (
    <CardTable
      heads={[
        { label: t('runs.started') },
        { label: t('runs.what') },
        { label: t('runs.state') },
        { label: t('runs.read'), right: true },
        { label: t('runs.applied'), right: true },
        { label: t('runs.unchanged'), right: true },
        { label: t('runs.set_aside'), right: true },
        { label: t('runs.took'), right: true },
      ]}
    >
      {rows.map((run) => {
        const seconds = runSeconds(run)
        return (
          <tr key={run.id}>
            <td className="num table__lead">
              <Link to={`/runs/${run.id}`} data-row>
                {fullTime(run.started_at)}
              </Link>
            </td>
            <td className="table__wide">
              {say(run.source_label)} <span className="code muted">{run.sync}</span>{' '}
              {run.kind !== 'incremental' && <span className="flag flag--hold">{t(`runs.kind.${run.kind}`)}</span>}
              {run.message && <span className="bad small run__message">{say(run.message)}</span>}
            </td>
            <td>
              <RunStateTag state={run.state} />
              <Progress run={run} />
            </td>
            <td className="num table__right" data-label={t('runs.read')}>
              {count(run.read)}
            </td>
            <td className="num table__right" data-label={t('runs.applied')}>
              {count(run.applied)}
            </td>
            <td className="num table__right" data-label={t('runs.unchanged')}>
              {count(run.unchanged)}
            </td>
            <td className="num table__right" data-label={t('runs.set_aside')}>
              <span className={run.set_aside > 0 ? 'warn' : 'muted'}>{count(run.set_aside)}</span>
            </td>
            <td className="num table__right" data-label={t('runs.took')}>
              {seconds === null ? '…' : duration(seconds)}
            </td>
          </tr>
        )
      })}
    </CardTable>
  )
}
